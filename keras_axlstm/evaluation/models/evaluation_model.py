import abc
from collections.abc import Sequence

import numpy as np

from keras_axlstm.audio import validate_waveform


class EvaluationModel(abc.ABC):
    """Something that turns waveforms into embeddings, to be measured on tasks.

    Subclasses bring `_scenes` and `_timestamps`, for waveforms that have been checked.

    Args:
        name: what a table calls it.
        identity: hash of all that determines its embeddings: weights, settings, version. Cached
            embeddings are found by it.
        embedding_dim: length of a clip's embedding.
        frame_dim: length of a frame's embedding; the same by default.

    Attributes:
        sampling_rate: rate of the waveforms in Hz. A model of another rate resamples them itself.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.models import open_model

    model = open_model("logmel")
    scenes = model.scenes([np.zeros(16000), np.zeros(8000)])  # (2, 160)
    frames, times_ms = model.timestamps([np.zeros(16000)])[0]  # (101, 80), (101,)
    ```
    """

    sampling_rate = 16000

    def __init__(
        self, name: str, identity: str, embedding_dim: int, frame_dim: int | None = None
    ) -> None:
        self.name = name
        self.identity = identity
        self.embedding_dim = embedding_dim
        self.frame_dim = embedding_dim if frame_dim is None else frame_dim

    def scenes(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """One embedding a clip.

        Args:
            waveforms: mono clips `(samples,)` of any lengths in [-1, 1] at 16 kHz.

        Returns:
            `(clips, embedding_dim)` float32.

        Raises:
            ValueError: no clips, a bad clip, or a model that gives another shape.
        """
        clips = _checked(waveforms)
        embeddings = np.asarray(self._scenes(clips), "float32")
        expected = (len(clips), self.embedding_dim)
        if embeddings.shape != expected:
            raise ValueError(
                f"The model {self.name} must give scene embeddings of shape {expected}. Received: "
                f"{embeddings.shape}"
            )
        return embeddings

    def timestamps(self, waveforms: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """One embedding a frame.

        Args:
            waveforms: as for `scenes`.

        Returns:
            For each clip its frames `(t, frame_dim)` float32 and their times `(t,)` float64 in
            milliseconds.

        Raises:
            ValueError: as `scenes`.
        """
        clips = _checked(waveforms)
        results = [
            (np.asarray(frames, "float32"), np.asarray(times_ms, "float64"))
            for frames, times_ms in self._timestamps(clips)
        ]
        shapes = [(frames.shape, times_ms.shape) for frames, times_ms in results]
        wrong = [
            shape for shape in shapes if shape != ((*shape[1], self.frame_dim), (shape[0][0],))
        ]
        if wrong or len(results) != len(clips):
            raise ValueError(
                f"The model {self.name} must give frames (t, {self.frame_dim}) and times (t,) for "
                f"each of {len(clips)} clips. Received: {wrong[0] if wrong else len(results)}"
            )
        return results

    @abc.abstractmethod
    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        """`(clips, embedding_dim)`."""

    @abc.abstractmethod
    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """`(t, frame_dim)` and `(t,)` milliseconds for each clip."""


def _checked(waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
    if len(waveforms) == 0:
        raise ValueError("`waveforms` must hold at least one clip. Received: none")
    return [validate_waveform(clip, f"waveforms[{index}]") for index, clip in enumerate(waveforms)]
