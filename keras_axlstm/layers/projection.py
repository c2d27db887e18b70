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
    if dense.quantization_mode is None:
        # Not `dense(inputs)`: in eager PyTorch its call takes as long as a small product.
        outputs = project_by(dense.kernel, inputs)
        if dense.bias is not None:
            outputs = outputs + ops.cast(dense.bias, outputs.dtype)
        return dense.activation(outputs)
    batch, time, channels = ops.shape(inputs)
    outputs = dense(ops.reshape(inputs, (-1, channels)))
    return ops.reshape(outputs, (batch, time, outputs.shape[-1]))


def project_by(weights: keras.KerasTensor, inputs: keras.KerasTensor) -> keras.KerasTensor:
    """`project` for weights `(channels, units)` alone."""
    batch, time, channels = ops.shape(inputs)
    rows = ops.reshape(inputs, (-1, channels))
    units = weights.shape[-1]
    large = kernels_wanted() and large_projection(
        rows.shape[0], channels, units, kernel_dtype(rows)
    )
    outputs = (multiply if large else ops.matmul)(rows, ops.cast(weights, rows.dtype))
    return ops.reshape(outputs, (batch, time, units))


def multiply(x: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """`x weights` for `(rows, inputs)` and `(inputs, outputs)` of one dtype, by a kernel if any."""
    kernels = choose_optional("projection", x)
    if kernels is None:
        return ops.matmul(x, weights)
    dtype = kernel_dtype(x, weights)
    arguments = (ops.cast(x, dtype), ops.cast(weights, dtype))
    return ops.cast(kernels.projection(*arguments, ops.matmul), x.dtype)
