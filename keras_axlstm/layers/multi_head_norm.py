import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class MultiHeadNorm(keras.layers.Layer):
    """Layer normalisation of each head on its own: scale only, stored as w of `1 + w`.

    With one head it is a plain layer normalisation over all channels. Computed in float32.

    Args:
        num_heads: int. Equal groups that the channels are cut into.
        epsilon: float. Added to the variance.

    Call arguments:
        inputs: `(batch, time, channels)`.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import MultiHeadNorm

    MultiHeadNorm(num_heads=4)(np.ones((2, 10, 64), "float32")).shape  # (2, 10, 64)
    ```
    """

    def __init__(self, num_heads=1, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.epsilon = epsilon
        self.supports_masking = True
        # float32 values must reach `call` as they are: they can be too small for float16.
        self.autocast = False

    def build(self, inputs_shape):
        if inputs_shape[-1] % self.num_heads:
            raise ValueError(
                f"`num_heads={self.num_heads}` must divide the number of channels. "
                f"Received: inputs of shape {tuple(inputs_shape)}"
            )
        self.scale = self.add_weight(name="scale", shape=inputs_shape[-1:], initializer="zeros")

    def call(self, inputs):
        outputs = normalize_heads(inputs, self.scale, self.num_heads, self.epsilon)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update({"num_heads": self.num_heads, "epsilon": self.epsilon})
        return config


def normalize_heads(
    inputs: keras.KerasTensor, scale: keras.KerasTensor, num_heads: int, epsilon: float
) -> keras.KerasTensor:
    """Layer normalisation of each head of `(batch, time, channels)`, float32."""
    inputs = ops.cast(inputs, "float32")
    scale = 1.0 + ops.cast(scale, "float32")
    if num_heads == 1:
        return ops.layer_normalization(inputs, scale, axis=-1, epsilon=epsilon)
    batch, time, channels = ops.shape(inputs)
    heads = ops.reshape(inputs, (batch, time, num_heads, -1))
    heads = ops.layer_normalization(heads, axis=-1, epsilon=epsilon)
    return ops.reshape(heads, (batch, time, channels)) * scale
