import os

import torch

from keras_axlstm.hear.api import DEFAULT_PRESET
from keras_axlstm.hear.torch_hear_model import TorchHearModel
from keras_axlstm.models.open_embedder import open_embedder


class PresetEncoder(TorchHearModel):
    """A preset for X-ARES, which makes encoders without arguments and wants frames.

    X-ARES files results under the name of the class: give each preset a root of its own.

    Args:
        preset: as `keras_axlstm.hear.load_model` takes it. Default: what the environment variable
            `KERAS_AXLSTM_PRESET` says, else `axlstm_tiny`.

    Raises:
        ValueError: an unknown preset, or one whose weights are not available.

    Example, on the command line:

    ```text
    KERAS_AXLSTM_PRESET=my_preset python -m xares.run \
        keras_axlstm/evaluation/adapters/xares_encoder.py src/tasks/esc50_task.py
    ```
    """

    def __init__(self, preset: str = "") -> None:
        preset = preset or os.environ.get("KERAS_AXLSTM_PRESET", DEFAULT_PRESET)
        super().__init__(open_embedder(preset))
        self.sampling_rate = self.sample_rate
        self.output_dim = self.timestamp_embedding_size
        self.hop_size_in_ms = self.embedder.milliseconds_per_frame

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Frames `(clips, t, d)` of clips `(clips, samples)`, or of one clip `(samples,)`."""
        frames, _ = self.timestamp_embeddings(audio if audio.ndim == 2 else audio[None])
        return frames
