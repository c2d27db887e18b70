import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SpecAugment(keras.layers.Layer):
    """Cover random stretches of time and bands of frequency in training.

    What is covered takes the mean of the clip. Every clip of a batch gets its own stretches. Does
    nothing outside of training.

    Args:
        time_masks: int. Stretches of time in a clip.
        time_fraction: float in [0, 1]. The longest stretch, as a part of the clip's real frames.
        frequency_masks: int. Ranges of bands in a clip.
        frequency_fraction: float in [0, 1]. The widest range, as a part of the bands.
        seed: int or None. Seed of the draw.

    Call arguments:
        spectrogram: `(batch, time, frequency)`.
        mask: optional boolean `(batch, time)`, True = real frame, padding at the end.
        training: bool.

    Returns:
        Same shape. Padding stays as it is.

    Raises:
        ValueError: a fraction outside of [0, 1], or a negative number of masks.

    Source: Park et al., "SpecAugment", Interspeech 2019, https://arxiv.org/abs/1904.08779, without
    the warping of time.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import SpecAugment

    spectrogram = np.random.default_rng(0).normal(size=(2, 200, 80)).astype("float32")
    SpecAugment(time_masks=2, time_fraction=0.1)(spectrogram, training=True).shape  # (2, 200, 80)
    ```
    """

    def __init__(
        self,
        time_masks=2,
        time_fraction=0.1,
        frequency_masks=2,
        frequency_fraction=0.2,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, count in (("time_masks", time_masks), ("frequency_masks", frequency_masks)):
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise ValueError(f"`{name}` must be an integer of at least 0. Received: {count!r}")
        fractions = (("time_fraction", time_fraction), ("frequency_fraction", frequency_fraction))
        for name, fraction in fractions:
            if not 0 <= fraction <= 1:
                raise ValueError(f"`{name}` must be in [0, 1]. Received: {fraction}")
        self.time_masks = time_masks
        self.time_fraction = time_fraction
        self.frequency_masks = frequency_masks
        self.frequency_fraction = frequency_fraction
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, spectrogram, mask=None, training=False):
        if not training:
            return spectrogram
        batch, time, bands = ops.shape(spectrogram)
        if mask is None:
            mask = ops.ones((batch, time), "bool")
        mask = ops.cast(mask, "bool")
        real = ops.cast(mask, "float32")
        frames = ops.sum(real, axis=1)
        covered_times = self._stripes(self.time_masks, self.time_fraction, frames, time)
        all_bands = ops.full_like(frames, bands)
        covered_bands = self._stripes(
            self.frequency_masks, self.frequency_fraction, all_bands, bands
        )
        covered = ops.logical_or(
            ops.expand_dims(covered_times, 2), ops.expand_dims(covered_bands, 1)
        )
        covered = ops.logical_and(covered, ops.expand_dims(mask, 2))
        total = ops.sum(spectrogram * ops.cast(ops.expand_dims(real, 2), spectrogram.dtype), (1, 2))
        mean = total / ops.cast(frames * bands, spectrogram.dtype)
        return ops.where(covered, ops.reshape(mean, (-1, 1, 1)), spectrogram)

    def _stripes(self, count, fraction, sizes, steps):
        """Boolean `(batch, steps)`, True in `count` stripes among the first `sizes` `(batch,)`."""
        shape = (ops.shape(sizes)[0], count)
        sizes = ops.expand_dims(sizes, 1)
        widths = keras.random.uniform(shape, seed=self.seed_generator)
        widths = ops.floor(widths * (ops.floor(fraction * sizes) + 1))
        starts = keras.random.uniform(shape, seed=self.seed_generator)
        starts = ops.floor(starts * (sizes - widths + 1))
        starts, ends = ops.expand_dims(starts, 2), ops.expand_dims(starts + widths, 2)
        places = ops.cast(ops.arange(steps), "float32")
        return ops.any(ops.logical_and(places >= starts, places < ends), axis=1)

    def compute_output_shape(self, spectrogram_shape):
        return spectrogram_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "time_masks": self.time_masks,
                "time_fraction": self.time_fraction,
                "frequency_masks": self.frequency_masks,
                "frequency_fraction": self.frequency_fraction,
                "seed": self.seed,
            }
        )
        return config
