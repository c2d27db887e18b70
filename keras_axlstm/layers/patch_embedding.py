import keras
from keras import ops

from keras_axlstm.patches import patchify


@keras.saving.register_keras_serializable(package="keras_axlstm")
class PatchEmbedding(keras.layers.Layer):
    """Linear projection of spectrogram patches to tokens.

    A last patch that the spectrogram fills in part is completed with zeros, so any length works.

    Args:
        patch_size: `(time, frequency)` of a patch; frequency must divide the number of bands.
        hidden_dim: int. Channels of a token.

    Call arguments:
        spectrogram: `(batch, time, frequency)`.
        mask: optional boolean `(batch, time)`, True = real frame. Masked frames count as zeros;
            a token is real if any of its frames is.

    Returns:
        `(batch, patches, hidden_dim)`, time-major: all frequencies of one time step, then the next.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import PatchEmbedding

    PatchEmbedding((4, 16), 192)(np.zeros((2, 200, 80), "float32")).shape  # (2, 250, 192)
    ```
    """

    def __init__(self, patch_size, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.patch_size = tuple(patch_size)
        self.hidden_dim = hidden_dim
        self.supports_masking = True

    def build(self, spectrogram_shape):
        patch_time, patch_frequency = self.patch_size
        if spectrogram_shape[-1] % patch_frequency:
            raise ValueError(
                f"The patch frequency size {patch_frequency} must divide the number of bands. "
                f"Received: spectrogram of shape {tuple(spectrogram_shape)}"
            )
        self.bands = spectrogram_shape[-1] // patch_frequency
        self.projection = keras.layers.Dense(
            self.hidden_dim, dtype=self.dtype_policy, name="projection"
        )
        self.projection.build((None, None, patch_time * patch_frequency))

    def call(self, spectrogram, mask=None):
        if mask is not None:
            real = ops.cast(mask, spectrogram.dtype)
            spectrogram = spectrogram * ops.expand_dims(real, -1)
        return self.projection(patchify(self._fill_up(spectrogram), self.patch_size))

    def compute_mask(self, spectrogram, mask=None):
        if mask is None:
            return None
        real = self._fill_up(ops.cast(mask, "int32"))
        batch, time = ops.shape(real)
        steps = ops.reshape(real, (batch, time // self.patch_size[0], self.patch_size[0]))
        return ops.repeat(ops.max(steps, axis=-1) > 0, self.bands, axis=1)

    def _fill_up(self, x):
        """Zeros at the end of axis 1 up to a whole number of patches."""
        batch, time, *rest = ops.shape(x)
        # Not `-time % patch`: of negative numbers runtimes that read exports have other remainders.
        missing = (time + self.patch_size[0] - 1) // self.patch_size[0] * self.patch_size[0] - time
        if isinstance(missing, int) and missing == 0:
            return x
        return ops.concatenate([x, ops.zeros((batch, missing, *rest), dtype=x.dtype)], axis=1)

    def compute_output_shape(self, spectrogram_shape):
        batch, time, bands = spectrogram_shape
        patch_time, patch_frequency = self.patch_size
        steps = None if time is None else -(-time // patch_time)
        patches = None if steps is None else steps * (bands // patch_frequency)
        return (batch, patches, self.hidden_dim)

    def get_config(self):
        config = super().get_config()
        config.update({"patch_size": self.patch_size, "hidden_dim": self.hidden_dim})
        return config
