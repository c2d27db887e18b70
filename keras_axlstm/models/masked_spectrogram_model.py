import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_axlstm.distribution.replica import loss_share
from keras_axlstm.layers.patch_masking import PatchMasking
from keras_axlstm.layers.reconstruction_head import ReconstructionHead
from keras_axlstm.models.presets import folder_of
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder
from keras_axlstm.patches import patchify

LOSSES_ON = ("masked", "all")
CONFIG_FILE = "masked_spectrogram_model.json"
WEIGHTS_FILE = "masked_spectrogram_model.npz"


@keras.saving.register_keras_serializable(package="keras_axlstm")
class MaskedSpectrogramModel(keras.Model):
    """Pretraining: hide half of the patches, reconstruct them from the rest.

    For `compile(optimizer)` and `fit` on spectrograms `(batch, time, frequency)` alone: the model
    draws its masks, computes its own loss (mean squared error) and reports `loss` and
    `reconstruction_mse`, the error over the masked patches. See
    `keras_axlstm.training.pretraining_optimizer` for the optimizer and schedule of the paper.

    Args:
        encoder: an `AxLSTMEncoder` or `SSASTEncoder`.
        mask_ratio: float in [0, 1). Share of the patches that is hidden.
        mask_mode: `"unstructured"` hides single patches, `"timestep"` whole time steps.
        loss_on: `"masked"` patches (the paper) or `"all"` (the authors' released code).
        position_on_masked: bool. Whether a hidden patch keeps its position (eq. 10 of the paper)
            or not (the authors' code).
        seed: int or None. Seed of the masks.

    Call arguments:
        spectrogram: `(batch, time, frequency)`, time a multiple of the patch time.
        hidden: optional `(batch, patches)`, 1 = hidden; drawn if not given.

    Returns:
        dict of `"prediction"` `(batch, patches, patch_dim)` and `"hidden"` `(batch, patches)`.

    Raises:
        ValueError: unknown option, or a spectrogram that patches do not divide.

    Source: https://arxiv.org/abs/2408.16568, section 2.2.

    Example:

    ```python
    import numpy as np
    import keras_axlstm

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    model = keras_axlstm.MaskedSpectrogramModel(encoder)
    model.compile(keras_axlstm.training.pretraining_optimizer(steps_per_epoch=1, epochs=1))
    model.fit(np.random.normal(size=(4, 200, 80)).astype("float32"), batch_size=4)
    ```
    """

    def __init__(
        self,
        encoder,
        mask_ratio=0.5,
        mask_mode="unstructured",
        loss_on="masked",
        position_on_masked=False,
        seed=None,
        **kwargs,
    ):
        if not isinstance(encoder, SpectrogramEncoder):
            raise ValueError(
                "`encoder` must be an AxLSTMEncoder or SSASTEncoder. "
                f"Received: {type(encoder).__name__}"
            )
        if loss_on not in LOSSES_ON:
            raise ValueError(f"`loss_on` must be one of {LOSSES_ON}. Received: {loss_on!r}")
        kwargs.setdefault("dtype", encoder.dtype_policy)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.mask_ratio = mask_ratio
        self.mask_mode = mask_mode
        self.loss_on = loss_on
        self.position_on_masked = position_on_masked
        self.seed = seed
        self.masking = PatchMasking(
            encoder.grid_size[1],
            mask_ratio,
            mask_mode,
            position_on_masked,
            seed,
            dtype=self.dtype_policy,
            name="masking",
        )
        patch_dim = encoder.patch_size[0] * encoder.patch_size[1]
        self.head = ReconstructionHead(patch_dim, dtype=self.dtype_policy, name="head")
        self.reconstruction_mse = keras.metrics.Mean(name="reconstruction_mse")
        tokens_shape = (None, None, encoder.hidden_dim)
        self.masking.build(tokens_shape)
        self.head.build(tokens_shape)
        self.built = True

    def call(self, spectrogram, hidden=None):
        patch_time = self.encoder.patch_size[0]
        if spectrogram.shape[1] is not None and spectrogram.shape[1] % patch_time:
            raise ValueError(
                f"The time size of `spectrogram` must be a multiple of {patch_time}: crop or pad "
                f"it. Received: shape {tuple(spectrogram.shape)}"
            )
        patches = self.encoder.patch_embedding(spectrogram)
        tokens, hidden = self.masking(patches, self.encoder.position.position(patches), hidden)
        sequence = self.encoder.encode(tokens)
        if self.encoder.use_class_token:
            sequence = sequence[:, 1:]
        return {"prediction": self.head(sequence), "hidden": hidden}

    def reconstruct(self, spectrogram, mask):
        """Predict every patch from the visible ones.

        Args:
            spectrogram: `(batch, time, frequency)`.
            mask: `(batch, patches)`, 1 = hidden.

        Returns:
            `(batch, patches, patch_dim)`.
        """
        return self(spectrogram, hidden=mask)["prediction"]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        target = ops.cast(patchify(x, self.encoder.patch_size), "float32")
        prediction = ops.cast(y_pred["prediction"], "float32")
        errors = ops.mean(ops.square(prediction - target), axis=-1)
        hidden = y_pred["hidden"]
        # At least one: nothing is hidden at mask_ratio 0.
        masked_error = ops.sum(errors * hidden) / ops.maximum(ops.sum(hidden), 1.0)
        self.reconstruction_mse.update_state(masked_error)
        return loss_share(masked_error if self.loss_on == "masked" else ops.mean(errors))

    def save_to_preset(self, preset_dir):
        """Save the encoder as a preset, and beside it what reconstruction needs.

        Args:
            preset_dir: path of a directory; made if missing.
        """
        folder = Path(preset_dir)
        self.encoder.save_to_preset(str(folder))
        config = {
            "mask_ratio": self.mask_ratio,
            "mask_mode": self.mask_mode,
            "loss_on": self.loss_on,
            "position_on_masked": self.position_on_masked,
        }
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=4) + "\n", encoding="utf-8")
        arrays = {name: ops.convert_to_numpy(w) for name, w in self._own_weights().items()}
        np.savez(folder / WEIGHTS_FILE, **arrays)

    @classmethod
    def from_preset(cls, preset, **kwargs):
        """Load a model that `save_to_preset` wrote.

        Args:
            preset: name of a preset, or path of its directory.
            **kwargs: arguments of the constructor that override the stored ones.

        Raises:
            ValueError: the directory holds an encoder alone, without mask token and head.
        """
        encoder = SpectrogramEncoder.from_preset(preset)
        folder = folder_of(str(preset))
        missing = [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).exists()]
        if missing:
            raise ValueError(
                f"Expected a preset of MaskedSpectrogramModel in {folder}. Missing: {missing}. "
                "An encoder alone loads with AxLSTMEncoder.from_preset."
            )
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        model = cls(encoder, **{**config, **kwargs})
        with np.load(folder / WEIGHTS_FILE) as arrays:
            for name, weight in model._own_weights().items():
                weight.assign(arrays[name])
        return model

    def _own_weights(self):
        """The weights beside the encoder's, by name."""
        return {
            "mask_token": self.masking.mask_token,
            "hidden_kernel": self.head.hidden.kernel,
            "hidden_bias": self.head.hidden.bias,
            "projection_kernel": self.head.projection.kernel,
            "projection_bias": self.head.projection.bias,
        }

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "encoder": keras.saving.serialize_keras_object(self.encoder),
                "mask_ratio": self.mask_ratio,
                "mask_mode": self.mask_mode,
                "loss_on": self.loss_on,
                "position_on_masked": self.position_on_masked,
                "seed": self.seed,
            }
        )
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**config)
