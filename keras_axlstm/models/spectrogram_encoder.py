import warnings
from contextlib import nullcontext
from pathlib import Path

import keras
import keras_hub
from keras import ops
from keras_hub.src.utils.preset_utils import CONFIG_FILE, load_json

from keras_axlstm.layers.class_token import ClassToken
from keras_axlstm.layers.patch_embedding import PatchEmbedding
from keras_axlstm.layers.sine_cosine_position import SineCosinePosition
from keras_axlstm.models.checksums import verify_checksums
from keras_axlstm.models.presets import check_preset
from keras_axlstm.models.random_weights import zeros_for_random_weights
from keras_axlstm.recurrence.kernels import plain_inference

FRAME_ORDERS = ("time", "official")


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SpectrogramEncoder(keras_hub.models.Backbone):
    """Base of encoders that turn log-mel spectrogram patches into a sequence of tokens.

    Subclasses bring the blocks: `AxLSTMEncoder` and `SSASTEncoder`.

    Args:
        blocks: list of layers `(batch, tokens, hidden_dim)` -> same, which take a `mask`.
        spectrogram_shape: `(time, frequency)` of the nominal input, e.g. `(200, 80)`: 2 s.
        patch_size: `(time, frequency)` of a patch; must divide `spectrogram_shape`.
        hidden_dim: int. Channels of a token, a multiple of 4.
        use_class_token: bool. Put a class token in front of the patches.
        dtype: dtype or dtype policy.

    Call arguments:
        spectrogram: `(batch, time, frequency)` log-mel, any time length; what is missing of a
            last patch is filled up with zeros.
        mask: optional boolean `(batch, time)`, True = real frame, padding at the end. Tokens of
            real frames are the same as without the padding.

    Returns:
        `(batch, 1 + patches, hidden_dim)`: class token, then patches, time-major.

    Raises:
        ValueError: a spectrogram of wrong rank or number of bands.
    """

    def __init__(
        self,
        blocks,
        *,
        spectrogram_shape,
        patch_size,
        hidden_dim,
        use_class_token=True,
        dtype=None,
        **kwargs,
    ):
        spectrogram_shape, patch_size = tuple(spectrogram_shape), tuple(patch_size)
        _check_shapes(spectrogram_shape, patch_size, hidden_dim)

        # === Layers ===
        bands = spectrogram_shape[1] // patch_size[1]
        patch_embedding = PatchEmbedding(
            patch_size, hidden_dim, dtype=dtype, name="patch_embedding"
        )
        position = SineCosinePosition(bands, dtype=dtype, name="position")
        class_token = ClassToken(dtype=dtype, name="class_token") if use_class_token else None
        norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=dtype, name="norm")

        # === Functional Model ===
        inputs = keras.Input((None, spectrogram_shape[1]), name="spectrogram")
        x = position(patch_embedding(inputs))
        if class_token is not None:
            x = class_token(x)
        taps = {"embedding": x}
        for block in blocks:
            x = taps[block.name] = block(x)
        outputs = taps["norm"] = norm(x)
        super().__init__(inputs=inputs, outputs=outputs, dtype=dtype, **kwargs)

        # === Config ===
        self.supports_masking = True
        self.spectrogram_shape = spectrogram_shape
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_layers = len(blocks)
        self.use_class_token = use_class_token
        self.patch_embedding = patch_embedding
        self.position = position
        self.class_token = class_token
        self.blocks = blocks
        self.norm = norm
        self.taps = taps

    @property
    def grid_size(self):
        """Patches along `(time, frequency)` of the nominal spectrogram."""
        return tuple(
            size // patch
            for size, patch in zip(self.spectrogram_shape, self.patch_size, strict=True)
        )

    def __call__(self, spectrogram, *args, **kwargs):
        shape = tuple(getattr(spectrogram, "shape", ()))
        bands = self.spectrogram_shape[1]
        if shape and (len(shape) != 3 or shape[2] not in (None, bands)):
            raise ValueError(
                f"`spectrogram` must have shape (batch, time, {bands}): log-mel values, one row a "
                f"frame. Received: shape {shape}"
            )
        return super().__call__(spectrogram, *args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        if mask is None and not training and plain_inference(self.blocks, inputs):
            # What Keras does around the blocks of a short clip takes as long as four of them.
            tokens = self.position(self.patch_embedding(inputs))
            if self.class_token is not None:
                tokens = self.class_token(tokens)
            for block in self.blocks:
                tokens = block.call(tokens)
            return self.norm(tokens)
        return super().call(inputs, training=training, mask=mask)

    def encode(self, tokens, mask=None):
        """Class token, blocks and final norm on patch tokens that already carry their position.

        Args:
            tokens: `(batch, patches, hidden_dim)`.
            mask: optional boolean `(batch, patches)`, True = real.

        Returns:
            `(batch, 1 + patches, hidden_dim)`.
        """
        if self.class_token is not None:
            mask = self.class_token.compute_mask(tokens, mask)
            tokens = self.class_token(tokens)
        for block in self.blocks:
            tokens = block(tokens, mask=mask)
        return self.norm(tokens)

    def frame_features(self, sequence, order="time"):
        """One vector a time step: drop the class token, put its frequency tokens side by side.

        Args:
            sequence: `(batch, 1 + patches, hidden_dim)`, output of the encoder.
            order: `"time"`: vector t holds the frequency tokens of time step t. `"official"`: as
                the authors' embedding code numbers them, of T time steps vector t holds tokens
                t, t + T, t + 2 T, ... of the time-major sequence; their published embeddings are
                of this kind.

        Returns:
            `(batch, time_steps, frequency_steps * hidden_dim)`.
        """
        check_frame_order(order)
        if self.use_class_token:
            sequence = sequence[:, 1:]
        batch, patches, _ = ops.shape(sequence)
        bands = self.grid_size[1]
        steps = patches // bands
        if order == "official":
            sequence = ops.reshape(sequence, (batch, bands, steps, self.hidden_dim))
            sequence = ops.swapaxes(sequence, 1, 2)
        return ops.reshape(sequence, (batch, steps, bands * self.hidden_dim))

    def tap_model(self, names=None):
        """A model that returns the output of the embedding, of every block and of the norm.

        Args:
            names: list of names, or None for all: `"embedding"`, `"block_0"`, ..., `"norm"`.

        Returns:
            A `keras.Model` from spectrograms to a dict of `(batch, 1 + patches, hidden_dim)`.

        Example:

        ```python
        import numpy as np
        import keras_axlstm

        encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
        outputs = encoder.tap_model(["block_5", "norm"])(np.zeros((1, 200, 80), "float32"))
        outputs["block_5"].shape  # (1, 251, 192)
        ```
        """
        names = list(self.taps) if names is None else list(names)
        unknown = [name for name in names if name not in self.taps]
        if unknown:
            raise ValueError(f"`names` must be among {list(self.taps)}. Received: {unknown}")
        return keras.Model(self.input, {name: self.taps[name] for name in names})

    def load_weights(self, filepath, *args, **kwargs):
        """`keras.Model.load_weights`; in a preset with `checksums.json` only those named there.

        Raises:
            ValueError: a weight file of the preset is missing, truncated or altered.
        """
        verify_checksums(Path(filepath).parent)
        super().load_weights(filepath, *args, **kwargs)

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Load an encoder from a preset name or directory.

        Args:
            preset: a name from `cls.presets`, a local directory, or a hub handle.
            load_weights: bool. False gives the architecture with random weights.
            **kwargs: arguments of the constructor that override the preset's. Weights that were
                saved in half precision compute in that of Keras unless `dtype` says otherwise.

        Raises:
            ValueError: an unknown preset, or one that has no weights while they are asked for.
        """
        preset = str(preset)
        check_preset(preset, load_weights)
        if kwargs.get("dtype") is None:
            # keras-hub (0.32) forgets which layers of an encoder were quantized.
            dtype = load_json(preset, CONFIG_FILE)["config"].get("dtype")
            if isinstance(dtype, dict) and dtype["class_name"] == "DTypePolicyMap":
                kwargs["dtype"] = dtype
        with zeros_for_random_weights() if load_weights else nullcontext():
            return super().from_preset(preset, load_weights=load_weights, **kwargs)

    def quantize(self, *args, **kwargs):
        """`keras.Model.quantize`: weights of dense layers in 8 bits with `"int8"`, in place.

        The recurrence, which is a small part of the weights, stays as it is.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* does not have a `quantize` method", UserWarning)
            super().quantize(*args, **kwargs)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "spectrogram_shape": self.spectrogram_shape,
                "patch_size": self.patch_size,
                "hidden_dim": self.hidden_dim,
                "num_layers": self.num_layers,
                "use_class_token": self.use_class_token,
            }
        )
        return config


def check_frame_order(order):
    """Refuse an unknown `order` of frame features."""
    if order not in FRAME_ORDERS:
        raise ValueError(f"The frame order must be one of {FRAME_ORDERS}. Received: {order!r}")


def _check_shapes(spectrogram_shape, patch_size, hidden_dim):
    for name, pair in (("spectrogram_shape", spectrogram_shape), ("patch_size", patch_size)):
        if len(pair) != 2 or any(not isinstance(size, int) or size < 1 for size in pair):
            raise ValueError(
                f"`{name}` must be two positive integers (time, frequency). Received: {pair}"
            )
    for name, size, patch in zip(("time", "frequency"), spectrogram_shape, patch_size, strict=True):
        if size % patch:
            raise ValueError(
                f"`patch_size` must divide `spectrogram_shape` along {name}. "
                f"Received: patch_size={patch_size}, spectrogram_shape={spectrogram_shape}"
            )
    if hidden_dim < 4 or hidden_dim % 4:
        raise ValueError(
            "`hidden_dim` must be a positive multiple of 4 (sine-cosine position). "
            f"Received: {hidden_dim}"
        )
