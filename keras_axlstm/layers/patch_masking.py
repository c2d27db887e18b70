import keras
from keras import ops

from keras_axlstm.distribution.replica import this_replica

MASK_MODES = ("unstructured", "timestep")


@keras.saving.register_keras_serializable(package="keras_axlstm")
class PatchMasking(keras.layers.Layer):
    """Hide patches behind one learned token.

    Args:
        bands: int. Patches along frequency, that is tokens of one time step.
        mask_ratio: float in [0, 1). Of N tokens exactly `int(N (100 - 100 mask_ratio) / 100)`
            stay, drawn anew for each example.
        mask_mode: `"unstructured"` hides single patches, `"timestep"` whole time steps.
        position_on_masked: bool. Whether a hidden token still carries its position (eq. 10 of the
            paper) or nothing but the learned token (the authors' code, default).
        seed: int or None. Seed of the draw.

    Call arguments:
        patches: `(batch, patches, channels)` without position.
        position: `(patches, channels)`.
        hidden: optional `(batch, patches)`, 1 = hidden; drawn if not given.

    Returns:
        Tokens `(batch, patches, channels)` with position, and `hidden` as float32.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import PatchMasking

    patches, position = np.ones((2, 250, 192), "float32"), np.zeros((250, 192), "float32")
    tokens, hidden = PatchMasking(bands=5)(patches, position)  # 125 of 250 hidden
    ```
    """

    def __init__(
        self,
        bands,
        mask_ratio=0.5,
        mask_mode="unstructured",
        position_on_masked=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"`mask_ratio` must be in [0, 1). Received: {mask_ratio}")
        if mask_mode not in MASK_MODES:
            raise ValueError(f"`mask_mode` must be one of {MASK_MODES}. Received: {mask_mode!r}")
        self.bands = bands
        self.mask_ratio = mask_ratio
        self.mask_mode = mask_mode
        self.position_on_masked = position_on_masked
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, patches_shape, position_shape=None, hidden_shape=None):
        self.mask_token = self.add_weight(
            name="mask_token",
            shape=(1, 1, patches_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, patches, position, hidden=None):
        batch, count, _ = ops.shape(patches)
        if hidden is None:
            hidden = self.draw(batch, count)
        hidden = ops.cast(hidden, "float32")
        hide = ops.expand_dims(ops.cast(hidden, patches.dtype), -1)
        token = ops.cast(self.mask_token, patches.dtype)
        if self.position_on_masked:
            token = token + position
        return (1 - hide) * (patches + position) + hide * token, hidden

    def draw(self, batch, count):
        """A new mask `(batch, count)`, float32, 1 = hidden."""
        units = self.bands if self.mask_mode == "timestep" else 1
        count = count // units
        percent = 100 - self.mask_ratio * 100
        if isinstance(count, int):
            stay = int(count * percent / 100)
        else:  # a time dimension that TensorFlow left open
            stay = ops.cast(ops.cast(count, "float64") * percent / 100, "int32")
        # The whole batch's, so that masks do not depend on the number of devices.
        replica = this_replica()
        noise = keras.random.uniform((replica.count * batch, count), seed=self.seed_generator)
        noise = ops.slice(noise, (replica.index * batch, 0), (batch, count))
        rank = ops.argsort(ops.argsort(noise, axis=-1), axis=-1)
        return ops.repeat(ops.cast(rank >= stay, "float32"), units, axis=1)

    def compute_output_shape(self, patches_shape, position_shape=None, hidden_shape=None):
        return patches_shape, patches_shape[:2]

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "bands": self.bands,
                "mask_ratio": self.mask_ratio,
                "mask_mode": self.mask_mode,
                "position_on_masked": self.position_on_masked,
                "seed": self.seed,
            }
        )
        return config
