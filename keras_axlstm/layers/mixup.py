import keras
import numpy as np
from keras import ops

# Ratios to choose from. A table, because XLA cannot draw from a beta distribution in TensorFlow.
_RATIOS = 4096


@keras.saving.register_keras_serializable(package="keras_axlstm")
class Mixup(keras.layers.Layer):
    """Mix every spectrogram of a batch with another one in training.

    `ratio * x + (1 - ratio) * x[::-1]` with one ratio a batch. Does nothing outside of training.
    The labels are mixed in the loss, `mixed_loss`: the layer keeps the ratio that it used last.

    Args:
        alpha: float above 0. The ratio is drawn from the distribution Beta(alpha, alpha).
        seed: int or None. Seed of the draw.

    Call arguments:
        spectrogram: `(batch, time, frequency)`.
        real: boolean `(batch, time)`, True = real frame, False = padding.
        training: bool.

    Returns:
        The mixed spectrograms, and True where either of the two is real.

    Raises:
        ValueError: `alpha` that is not above 0.

    Source: Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018,
    https://arxiv.org/abs/1710.09412

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import Mixup

    spectrogram, real = np.ones((4, 200, 80), "float32"), np.ones((4, 200), bool)
    mixed, real = Mixup(alpha=0.4)(spectrogram, real, training=True)
    ```
    """

    def __init__(self, alpha=0.4, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not alpha > 0:
            raise ValueError(f"`alpha` must be above 0. Received: {alpha}")
        self.alpha = alpha
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._ratios = np.random.default_rng(0).beta(alpha, alpha, _RATIOS).astype("float32")
        self.ratio = self.add_weight(name="ratio", shape=(), initializer="ones", trainable=False)
        self.built = True

    def call(self, spectrogram, real, training=False):
        if not training:
            return spectrogram, real
        place = keras.random.uniform((), maxval=_RATIOS, seed=self.seed_generator)
        place = ops.minimum(ops.cast(place, "int32"), _RATIOS - 1)
        ratio = ops.take(ops.convert_to_tensor(self._ratios), place)
        self.ratio.assign(ratio)
        ratio = ops.cast(ratio, spectrogram.dtype)
        mixed = ratio * spectrogram + (1 - ratio) * ops.flip(spectrogram, axis=0)
        return mixed, ops.logical_or(real, ops.flip(real, axis=0))

    def mixed_loss(self, loss, labels, sample_weight=None):
        """The loss on mixed labels.

        Args:
            loss: function of `labels` and `sample_weight` to a scalar.
            labels: `(batch, ...)` of the spectrograms of the last call.
            sample_weight: optional `(batch,)`.

        Returns:
            Scalar.
        """
        partner_weight = None if sample_weight is None else ops.flip(sample_weight, axis=0)
        own = loss(labels, sample_weight)
        partner = loss(ops.flip(labels, axis=0), partner_weight)
        ratio = ops.cast(self.ratio, own.dtype)
        return ratio * own + (1 - ratio) * partner

    def compute_output_spec(self, spectrogram, real, training=False):
        return (
            keras.KerasTensor(spectrogram.shape, dtype=spectrogram.dtype),
            keras.KerasTensor(real.shape, dtype="bool"),
        )

    def get_config(self):
        config = super().get_config()
        config.update({"alpha": self.alpha, "seed": self.seed})
        return config
