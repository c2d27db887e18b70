from pathlib import Path
from typing import Any

import keras

from keras_axlstm.layers.patch_masking import PatchMasking
from keras_axlstm.plots import plot_reconstruction, save_plot
from keras_axlstm.training.run_length import RunLength
from keras_axlstm.training.tracked_batches import TrackedBatches


class ReconstructionPictures(keras.callbacks.Callback):
    """Draws a spectrogram of the newest batch, its mask and its reconstruction, as PNG.

    Args:
        folder: where to; files `step-000001000.png`.
        length: of the run.
        batches: of the run.
        epochs: between two pictures.
        enabled: False: draw nothing (processes that are not the chief).
    """

    def __init__(
        self, folder: Path, length: RunLength, batches: TrackedBatches, epochs: int, enabled: bool
    ) -> None:
        super().__init__()
        self._folder = folder
        self._length = length
        self._batches = batches
        self._steps = epochs * length.steps_per_epoch
        self._enabled = enabled

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._enabled or not self._length.is_due(epoch, self._steps):
            return
        step = self._length.step_after_row(epoch)
        model = self.model
        spectrogram = self._batches.peek(step).example
        # Masks of its own: drawing one from the model's would change the training that follows.
        masking = PatchMasking(
            model.masking.bands, model.mask_ratio, model.mask_mode, seed=model.seed
        )
        patch_time, patch_frequency = model.encoder.patch_size
        patches = spectrogram.shape[1] // patch_time * spectrogram.shape[2] // patch_frequency
        hidden = masking.draw(1, patches)
        reconstruction = model.reconstruct(spectrogram, hidden)
        figure = plot_reconstruction(
            spectrogram[0],
            keras.ops.convert_to_numpy(hidden)[0],
            keras.ops.convert_to_numpy(reconstruction)[0].astype("float32"),
            model.encoder.patch_size,
            title=f"Step {step}",
        )
        save_plot(figure, self._folder / f"step-{step:09d}.png")
