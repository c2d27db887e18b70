import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.audio.audio_file_error import AudioFileError
from keras_axlstm.audio.resample import check_rate, resample
from keras_axlstm.audio.waveform import describe_non_finite

# What libsndfile gives as the length of a stream whose header does not state one.
_UNKNOWN_LENGTH = 2**63 - 1


def read_audio(
    path: str | os.PathLike[str],
    sampling_rate: int = 16000,
    start: float = 0.0,
    end: float | None = None,
) -> np.ndarray:
    """Read an audio file as a mono waveform.

    Channels are averaged, and other rates resampled. Integer samples are scaled to [-1, 1);
    floating-point samples are kept as they are, also beyond [-1, 1].

    Args:
        path: a wav, flac, ogg or mp3 file, any rate and any number of channels.
        sampling_rate: rate of the result in Hz.
        start: where to begin, in seconds.
        end: where to stop, in seconds; the end of the file if it is None or later than that.

    Returns:
        float32 `(samples,)`.

    Raises:
        AudioFileError: a file that is missing, empty, without samples, not audio, of an
            unsupported format, damaged, with NaN or infinite samples, or that ends before `start`.
            It is a `ValueError`.
        ValueError: a bad `sampling_rate`.

    Example:

    ```python
    from keras_axlstm.audio import read_audio

    waveform = read_audio("examples/audio/melody.flac")
    ```
    """
    check_rate(sampling_rate, "sampling_rate")
    with _open(path) as file:
        rate = file.samplerate
        stop = file.frames if end is None else min(file.frames, round(end * rate))
        samples = _decode(file, path, round(start * rate), stop)
    with np.errstate(invalid="ignore", over="ignore"):
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    problem = describe_non_finite(mono)
    if problem:
        raise AudioFileError(path, f"it is damaged: {problem}.")
    return resample(mono, rate, sampling_rate)


def check_audio_file(path: str | os.PathLike[str]) -> None:
    """Read the header of an audio file, to find most unusable files in a moment.

    Samples are not decoded: damage after the header is found by `read_audio` only.

    Args:
        path: the file.

    Raises:
        AudioFileError: a file that is missing, empty, without samples, not audio or of an
            unsupported format.

    Example:

    ```python
    from keras_axlstm.audio import check_audio_file

    check_audio_file("examples/audio/melody.flac")
    ```
    """
    with _open(path):
        pass


def _open(path: str | os.PathLike[str]) -> Any:
    """An open `soundfile.SoundFile` that claims to have samples."""
    import soundfile

    _check_path(path)
    try:
        opened = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError) as error:
        # TypeError: a headerless format (.raw), for which soundfile wants to be told the rate.
        raise AudioFileError(
            path, "it is damaged, or not in a supported format (wav, flac, ogg, mp3)."
        ) from error
    if opened.frames == 0:
        opened.close()
        raise AudioFileError(path, "it has no samples.")
    if opened.frames == _UNKNOWN_LENGTH:
        opened.close()
        raise AudioFileError(
            path, "its header does not state its length. Convert it, for example to wav."
        )
    return opened


def _check_path(path: str | os.PathLike[str]) -> None:
    """Raise unless it is a file with something in it that may be opened."""
    file = Path(path)
    try:
        if not file.exists():
            raise AudioFileError(path, "it does not exist.")
        if not file.is_file():
            raise AudioFileError(path, "it is not a file.")
        if file.stat().st_size == 0:
            raise AudioFileError(path, "it is empty (0 bytes).")
        file.open("rb").close()
    except OSError as error:
        raise AudioFileError(path, f"{error.strerror}.") from error


def _decode(file: Any, path: str | os.PathLike[str], start: int, stop: int) -> np.ndarray:
    """Samples `start` up to `stop` as float32 `(samples, channels)`."""
    import soundfile

    if start >= stop:
        raise AudioFileError(
            path, f"it has no samples from {start / file.samplerate:g} s to where reading stops."
        )
    try:
        if start:
            file.seek(start)
        samples = file.read(stop - start, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AudioFileError(path, "it is damaged: decoding failed.") from error
    # The length of an mp3 is only an estimate.
    if len(samples) == 0 or (len(samples) < stop - start and file.format != "MP3"):
        raise AudioFileError(
            path, f"it is damaged: only {len(samples)} of {stop - start} samples can be decoded."
        )
    return samples
