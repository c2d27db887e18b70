"""Dense layers over tokens."""

import keras
from keras import ops

from keras_axlstm.recurrence.choice import large_projection
from keras_axlstm.recurrence.kernels import choose_optional, kernel_dtype, kernels_wanted


def project(dense: keras.layers.Dense, inputs: keras.KerasTensor) -> keras.KerasTensor:
    """`dense(inputs)` on all tokens as rows of one matrix, by a kernel if any.

    The gradient of the weights is then a plain product; that of a product with a batch dimension
    makes XLA's CPU compiler (jaxlib 0.10.2) write a transposed copy of the tokens.

    Args:
        dense: a built layer.
        inputs: `(batch, time, channels)`.

    Returns:
        `(batch, time, units)`.
    """
    batch, time, channels = ops.shape(inputs)
    rows = ops.reshape(inputs, (-1, channels))
    if dense.quantization_mode is None:
        # Not `dense(rows)`: in eager PyTorch the call of a layer takes as long as a small product.
        large = kernels_wanted() and large_projection(
            rows.shape[0], channels, dense.units, kernel_dtype(rows)
        )
        product = multiply if large else ops.matmul
        outputs = product(rows, ops.cast(dense.kernel, rows.dtype))
        if dense.bias is not None:
            outputs = outputs + ops.cast(dense.bias, outputs.dtype)
        outputs = dense.activation(outputs)
    else:
        outputs = dense(rows)
    return ops.reshape(outputs, (batch, time, outputs.shape[-1]))


def multiply(x: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """`x weights` for `(rows, inputs)` and `(inputs, outputs)` of one dtype, by a kernel if any."""
    kernels = choose_optional("projection", x)
    if kernels is None:
        return ops.matmul(x, weights)
    dtype = kernel_dtype(x, weights)
    arguments = (ops.cast(x, dtype), ops.cast(weights, dtype))
    return ops.cast(kernels.projection(*arguments, ops.matmul), x.dtype)
