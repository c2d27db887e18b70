import keras
from keras import ops

from keras_axlstm.layers.projection import project
from keras_axlstm.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable(package="keras_axlstm")
class TransformerBlock(keras.layers.Layer):
    """Pre-norm transformer block: `x = x + attention(norm(x))`, `x + mlp(norm(x))`.

    Args:
        num_heads: int. Attention heads.
        mlp_ratio: int. Hidden channels of the MLP over channels of the block.
        epsilon: float. Of both layer normalisations.

    Call arguments:
        inputs: `(batch, time, channels)`.
        mask: optional boolean `(batch, time)`, True = real; masked steps are not attended to.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import TransformerBlock

    TransformerBlock(num_heads=3)(np.zeros((2, 10, 48), "float32")).shape  # (2, 10, 48)
    ```
    """

    def __init__(self, num_heads=3, mlp_ratio=4, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.mlp_ratio = mlp_ratio
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, inputs_shape):
        channels = inputs_shape[-1]
        hidden_shape = (*inputs_shape[:-1], int(self.mlp_ratio * channels))
        self.attention_norm = keras.layers.LayerNormalization(
            epsilon=self.epsilon, dtype=self.dtype_policy, name="attention_norm"
        )
        self.attention_norm.build(inputs_shape)
        self.attention = SelfAttention(self.num_heads, dtype=self.dtype_policy, name="attention")
        self.attention.build(inputs_shape)
        self.mlp_norm = keras.layers.LayerNormalization(
            epsilon=self.epsilon, dtype=self.dtype_policy, name="mlp_norm"
        )
        self.mlp_norm.build(inputs_shape)
        self.mlp_hidden = keras.layers.Dense(
            hidden_shape[-1], dtype=self.dtype_policy, name="mlp_hidden"
        )
        self.mlp_hidden.build(inputs_shape)
        self.mlp_output = keras.layers.Dense(channels, dtype=self.dtype_policy, name="mlp_output")
        self.mlp_output.build(hidden_shape)

    def call(self, inputs, mask=None):
        x = inputs + self.attention(self.attention_norm(inputs), mask=mask)
        hidden = ops.gelu(project(self.mlp_hidden, self.mlp_norm(x)), approximate=False)
        return x + project(self.mlp_output, hidden)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {"num_heads": self.num_heads, "mlp_ratio": self.mlp_ratio, "epsilon": self.epsilon}
        )
        return config
