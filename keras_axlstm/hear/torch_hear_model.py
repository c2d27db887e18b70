from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import torch

from keras_axlstm.hear.hear_model import HearModel
from keras_axlstm.models import AudioEmbedder


class TorchHearModel(HearModel, torch.nn.Module):
    """A HEAR model for PyTorch tensors.

    On the backend torch the encoder is a submodule: `to` moves it, and it computes on the device
    of the audio. On another backend it computes where that backend does.

    Args:
        embedder: computes the embeddings.
    """

    def __init__(self, embedder: AudioEmbedder) -> None:
        super().__init__(embedder)
        self._is_torch = keras.config.backend() == "torch"
        if self._is_torch:
            self.encoder = embedder.encoder

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Scene embeddings."""
        return self.scene_embeddings(audio)

    def scene_embeddings(self, audio: Any) -> Any:
        with self._on_device_of(audio):
            return super().scene_embeddings(audio)

    def timestamp_embeddings(self, audio: Any) -> tuple[Any, Any]:
        with self._on_device_of(audio):
            return super().timestamp_embeddings(audio)

    def _on_device_of(self, audio: torch.Tensor) -> Any:
        if not isinstance(audio, torch.Tensor):
            raise ValueError(
                f"`audio` must be a torch.Tensor. Received: {type(audio).__name__}. Convert it "
                "with `torch.as_tensor`."
            )
        if not self._is_torch:
            return nullcontext()
        self.to(audio.device)
        return keras.device(str(audio.device))

    def _array(self, audio: torch.Tensor) -> np.ndarray:
        return audio.detach().cpu().numpy()

    def _tensor(self, array: np.ndarray, audio: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(array).to(audio.device)
