import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class CausalConvolution(keras.layers.Layer):
    """Causal depthwise convolution over time: each step sees itself and the steps before it.

    Args:
        kernel_size: int. Taps of the filter, the oldest first.

    Call arguments:
        inputs: `(batch, time, channels)`.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import CausalConvolution

    CausalConvolution(kernel_size=4)(np.zeros((2, 10, 64), "float32")).shape  # (2, 10, 64)
    ```
    """

    def __init__(self, kernel_size=4, **kwargs):
        super().__init__(**kwargs)
        if kernel_size < 1:
            raise ValueError(f"`kernel_size` must be at least 1. Received: {kernel_size}")
        self.kernel_size = kernel_size
        self.supports_masking = True

    def build(self, inputs_shape):
        limit = self.kernel_size**-0.5
        uniform = keras.initializers.RandomUniform(-limit, limit)
        shape = (self.kernel_size, inputs_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=uniform)
        self.bias = self.add_weight(name="bias", shape=shape[1:], initializer=uniform)

    def call(self, inputs):
        return convolve(
            inputs, ops.cast(self.kernel, inputs.dtype), ops.cast(self.bias, inputs.dtype)
        )

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update({"kernel_size": self.kernel_size})
        return config


def convolve(
    inputs: keras.KerasTensor, kernel: keras.KerasTensor, bias: keras.KerasTensor
) -> keras.KerasTensor:
    """Causal depthwise convolution of `(batch, time, channels)` with `(taps, channels)`."""
    # Shifted products: a handful of fused passes, where depthwise convolutions of the backends
    # transpose to channels-first and back.
    time, taps = ops.shape(inputs)[1], kernel.shape[0]
    padded = ops.pad(inputs, ((0, 0), (taps - 1, 0), (0, 0)))
    outputs = inputs * kernel[-1] + bias
    for tap in range(taps - 1):
        outputs = outputs + padded[:, tap : tap + time] * kernel[tap]
    return outputs
