import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class ReconstructionHead(keras.layers.Layer):
    """Predict spectrogram patches from tokens: linear, exact GELU, linear.

    Args:
        patch_dim: int. Values of a patch.

    Call arguments:
        tokens: `(batch, patches, channels)`.

    Returns:
        `(batch, patches, patch_dim)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import ReconstructionHead

    ReconstructionHead(patch_dim=64)(np.zeros((2, 250, 192), "float32")).shape  # (2, 250, 64)
    ```
    """

    def __init__(self, patch_dim, **kwargs):
        super().__init__(**kwargs)
        self.patch_dim = patch_dim
        self.supports_masking = True

    def build(self, tokens_shape):
        channels = tokens_shape[-1]
        limit = channels**-0.5
        for name, units in (("hidden", channels), ("projection", self.patch_dim)):
            dense = keras.layers.Dense(
                units,
                kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
                bias_initializer=keras.initializers.RandomUniform(-limit, limit),
                dtype=self.dtype_policy,
                name=name,
            )
            dense.build(tokens_shape)
            setattr(self, name, dense)

    def call(self, tokens):
        return self.projection(ops.gelu(self.hidden(tokens), approximate=False))

    def compute_output_shape(self, tokens_shape):
        return (*tokens_shape[:-1], self.patch_dim)

    def get_config(self):
        config = super().get_config()
        config.update({"patch_dim": self.patch_dim})
        return config
