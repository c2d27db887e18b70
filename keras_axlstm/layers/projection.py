"""Dense layers over tokens."""

import keras
from keras import ops

from keras_axlstm.recurrence.choice import SHORTEST_PROJECTION
from keras_axlstm.recurrence.kernels import choose_optional, kernel_dtype


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
    no_kernel = []
    if dense.quantization_mode is not None:
        no_kernel.append(f"the weights are quantized to {dense.quantization_mode}")
    if rows.shape[0] is not None and rows.shape[0] < SHORTEST_PROJECTION:
        no_kernel.append(f"fewer than {SHORTEST_PROJECTION} tokens")
    kernels = choose_optional("projection", rows, no_kernel)
    outputs = dense(rows) if kernels is None else _by_kernel(kernels, dense, rows)
    return ops.reshape(outputs, (batch, time, outputs.shape[-1]))


def _by_kernel(kernels, dense, rows):
    dtype = kernel_dtype(rows)
    weights = ops.cast(dense.kernel, dtype)
    outputs = ops.cast(kernels.projection(ops.cast(rows, dtype), weights, ops.matmul), rows.dtype)
    if dense.bias is not None:
        outputs = outputs + ops.cast(dense.bias, outputs.dtype)
    return dense.activation(outputs)
