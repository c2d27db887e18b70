import os
from typing import Any

import numpy as np

from keras_axlstm.audio import (
    AudioFileError,
    log_mel_spectrogram,
    normalize_log_mel,
    read_audio,
)


class LoadCrop:
    """From the path of an audio file to a random crop of its log-mel spectrogram.

    Args:
        num_frames: frames of the crop.
        sampling_rate: rate in Hz to which the audio is resampled.
        normalization: see `normalize_log_mel`. The whole clip is normalised, then cropped.
        mean: see `normalize_log_mel`.
        std: see `normalize_log_mel`.
        log_mel: further arguments of `log_mel_spectrogram`.
    """

    def __init__(
        self,
        num_frames: int,
        sampling_rate: int,
        normalization: str,
        mean: float | None,
        std: float | None,
        log_mel: dict[str, Any],
    ) -> None:
        self.num_frames = num_frames
        self.sampling_rate = sampling_rate
        self.normalization = (normalization, mean, std)
        self.log_mel = log_mel

    def __call__(
        self, path: str | os.PathLike[str], rng: np.random.Generator
    ) -> np.ndarray | AudioFileError:
        """float32 `(num_frames, bands)`, or why the file cannot be read.

        The error is returned, not raised, so that it travels from a worker process to the one that
        reports it, and does not end the run.
        """
        try:
            waveform = read_audio(path, self.sampling_rate)
        except AudioFileError as error:
            return error
        log_mel = log_mel_spectrogram(waveform, sampling_rate=self.sampling_rate, **self.log_mel)
        return random_crop(normalize_log_mel(log_mel, *self.normalization), self.num_frames, rng)


def random_crop(log_mel: np.ndarray, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """`num_frames` consecutive frames from a random place; a shorter clip is repeated first.

    Args:
        log_mel: `(frames, bands)`.
        num_frames: length of the crop.
        rng: draws the place.

    Returns:
        A copy `(num_frames, bands)`.
    """
    repeats = -(-num_frames // len(log_mel))
    start = rng.integers(repeats * len(log_mel) - num_frames + 1)
    return log_mel[np.arange(start, start + num_frames) % len(log_mel)]
