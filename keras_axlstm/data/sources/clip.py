from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """The log-mel spectrogram of a clip, of which only the frames asked for need be read.

    Args:
        num_frames: its length.
        mean: of all its values.
        std: of all its values, population standard deviation.
        read: from the first frame and the one after the last to an array `(frames, bands)`.
    """

    num_frames: int
    mean: float
    std: float
    read: Callable[[int, int], np.ndarray]

    @classmethod
    def of(cls, log_mel: np.ndarray) -> "Clip":
        """From the whole spectrogram `(frames, bands)`."""
        mean, std = log_mel_statistics(log_mel)
        return cls(len(log_mel), mean, std, lambda start, stop: log_mel[start:stop])

    def crop(self, start: int, num_frames: int) -> np.ndarray:
        """`num_frames` frames from `start`, of the clip put behind itself as often as needed."""
        if start + num_frames <= self.num_frames:
            return self.read(start, start + num_frames)
        frames = np.arange(start, start + num_frames) % self.num_frames
        return self.read(0, self.num_frames)[frames]


def log_mel_statistics(log_mel: np.ndarray) -> tuple[float, float]:
    """Mean and population standard deviation of all values, computed in float64."""
    values = log_mel.astype("float64", copy=False)
    return float(values.mean()), float(values.std())
