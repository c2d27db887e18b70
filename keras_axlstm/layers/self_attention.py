import keras
from keras import ops

from keras_axlstm.layers.projection import project


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SelfAttention(keras.layers.Layer):
    """Multi-head scaled dot-product self-attention with biases.

    Args:
        num_heads: int. Must divide the number of channels.

    Call arguments:
        inputs: `(batch, time, channels)`.
        mask: optional boolean `(batch, time)`, True = real; masked steps are not attended to.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import SelfAttention

    SelfAttention(num_heads=3)(np.zeros((2, 10, 48), "float32")).shape  # (2, 10, 48)
    ```
    """

    def __init__(self, num_heads=3, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.supports_masking = True

    def build(self, inputs_shape):
        channels = inputs_shape[-1]
        if channels % self.num_heads:
            raise ValueError(
                f"`num_heads={self.num_heads}` must divide the number of channels. "
                f"Received: inputs of shape {tuple(inputs_shape)}"
            )
        # Xavier uniform of one (channels, 3 channels) matrix, as the baseline initialises it.
        limit = (6 / (4 * channels)) ** 0.5
        for name in ("query", "key", "value", "output"):
            uniform = keras.initializers.RandomUniform(-limit, limit)
            dense = keras.layers.Dense(
                channels,
                kernel_initializer="glorot_uniform" if name == "output" else uniform,
                dtype=self.dtype_policy,
                name=name,
            )
            dense.build(inputs_shape)
            # `Layer.output` exists already.
            setattr(self, "output_projection" if name == "output" else name, dense)

    def call(self, inputs, mask=None):
        batch, time, channels = ops.shape(inputs)
        heads_shape = (batch, time, self.num_heads, channels // self.num_heads)
        query, key, value = (
            ops.reshape(project(dense, inputs), heads_shape)
            for dense in (self.query, self.key, self.value)
        )
        if mask is not None:
            mask = ops.reshape(ops.cast(mask, "bool"), (batch, 1, 1, time))
            mask = ops.broadcast_to(mask, (batch, 1, time, time))
        attended = ops.dot_product_attention(query, key, value, mask=mask)
        return project(self.output_projection, ops.reshape(attended, (batch, time, channels)))

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update({"num_heads": self.num_heads})
        return config
