import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SineCosinePosition(keras.layers.Layer):
    """Add a fixed two-dimensional sine-cosine position to time-major patches.

    The first half of the channels encodes the frequency index, the second half the time index,
    each as `[sin(p w_k), cos(p w_k)]` with `w_k = 10000^(-k / (channels / 4))`. Nothing is stored,
    so sequences of any length have a position.

    Args:
        bands: int. Patches along frequency, that is tokens of one time step.

    Call arguments:
        patches: `(batch, patches, channels)`; channels must be a multiple of 4.

    Returns:
        `(batch, patches, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import SineCosinePosition

    SineCosinePosition(bands=5)(np.zeros((2, 250, 192), "float32")).shape  # (2, 250, 192)
    ```
    """

    def __init__(self, bands, **kwargs):
        super().__init__(**kwargs)
        self.bands = bands
        self.supports_masking = True

    def build(self, patches_shape):
        if patches_shape[-1] % 4:
            raise ValueError(
                "The number of channels must be a multiple of 4: sine and cosine of two indices. "
                f"Received: patches of shape {tuple(patches_shape)}"
            )

    def call(self, patches):
        return patches + self.position(patches)

    def position(self, patches):
        """Position `(patches, channels)` of tokens `(batch, patches, channels)`."""
        count, channels = ops.shape(patches)[1], patches.shape[2]
        index = ops.arange(count, dtype="int32")
        rates = ops.convert_to_tensor(position_rates(channels))
        encoded = []
        for p in (index % self.bands, index // self.bands):
            angle = ops.expand_dims(ops.cast(p, "float32"), 1) * rates
            encoded += [ops.sin(angle), ops.cos(angle)]
        return ops.cast(ops.concatenate(encoded, axis=1), patches.dtype)

    def compute_output_shape(self, patches_shape):
        return patches_shape

    def get_config(self):
        config = super().get_config()
        config.update({"bands": self.bands})
        return config


def position_rates(channels: int) -> np.ndarray:
    """The w_k of `SineCosinePosition`, float32 `(channels / 4,)`."""
    return (10000.0 ** -(np.arange(channels // 4) / (channels / 4))).astype("float32")
