"""What the HEAR models of both tensor libraries have in common."""

from typing import Any

import numpy as np

from keras_axlstm.models import AudioEmbedder


class HearModel:
    """An `AudioEmbedder` with the attributes of the HEAR 2021 API.

    Subclasses are also modules of their library, and say how its tensors become arrays and back.

    Args:
        embedder: computes the embeddings.
    """

    def __init__(self, embedder: AudioEmbedder) -> None:
        super().__init__()
        self.embedder = embedder
        self.sample_rate = embedder.sampling_rate
        self.scene_embedding_size = embedder.embedding_dim
        self.timestamp_embedding_size = embedder.embedding_dim

    def scene_embeddings(self, audio: Any) -> Any:
        """`(clips, samples)` -> `(clips, d)`."""
        return self._tensor(self.embedder.embed(self._clips(audio), self.sample_rate), audio)

    def timestamp_embeddings(self, audio: Any) -> tuple[Any, Any]:
        """`(clips, samples)` -> `(clips, t, d)` and `(clips, t)` milliseconds."""
        frames, times_ms = self.embedder.embed_timestamps(self._clips(audio), self.sample_rate)
        times_ms = np.broadcast_to(times_ms.astype("float32"), frames.shape[:2])
        return self._tensor(frames, audio), self._tensor(times_ms.copy(), audio)

    def _clips(self, audio: Any) -> list[np.ndarray]:
        """The clips one by one: HEAR's audio is a batch, whatever its shape looks like."""
        array = self._array(audio)
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(
                "`audio` must be a batch (clips, samples) of at least one sample. Received: shape "
                f"{array.shape}"
            )
        return list(array)

    def _array(self, audio: Any) -> np.ndarray:
        raise NotImplementedError

    def _tensor(self, array: np.ndarray, audio: Any) -> Any:
        """A tensor of the library, beside `audio`."""
        raise NotImplementedError
