"""The waveforms in what a caller hands to the embedder."""

import os
import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from keras_axlstm.audio import read_audio, resample, validate_waveform
from keras_axlstm.audio.resample import check_rate

# More columns than this are samples, not channels: no common recording has more.
MOST_CHANNELS = 8
# Two microphones of one recording correlate; two recordings do not.
STEREO_CORRELATION = 0.5


def load_waveforms(
    audio: Any, sampling_rate: int, model_sampling_rate: int
) -> tuple[list[np.ndarray], bool]:
    """Mono float32 waveforms at the model's rate, and whether a batch was given.

    Args:
        audio: a path; a waveform `(samples,)`; a batch `(clips, samples)`, or a list of waveforms.
            Arrays may be NumPy arrays, lists or tensors of any backend.
        sampling_rate: rate of the arrays in Hz. A file carries its own rate.
        model_sampling_rate: rate of the result in Hz.

    Raises:
        ValueError: the audio is none of these, empty, NaN or infinite.
    """
    if isinstance(audio, (str, os.PathLike)):
        return [read_audio(audio, model_sampling_rate)], False
    check_rate(sampling_rate, "sampling_rate")
    clips, is_batch = _split_clips(audio)
    waveforms = []
    for index, clip in enumerate(clips):
        name = f"audio[{index}]" if is_batch else "audio"
        waveform = validate_waveform(clip, name)
        waveforms.append(resample(waveform, sampling_rate, model_sampling_rate))
    # A list says itself that it holds clips.
    if is_batch and len(waveforms) == 2 and not isinstance(audio, Sequence):
        _warn_if_stereo(*waveforms)
    return waveforms, is_batch


def _split_clips(audio: Any) -> tuple[list[np.ndarray], bool]:
    """The clips of an array or list, each `(samples,)`, and whether there is a clip axis."""
    is_list = isinstance(audio, Sequence) and len(audio) > 0
    if is_list and not isinstance(audio[0], Real):
        if any(isinstance(item, (str, os.PathLike)) for item in audio):
            raise ValueError(
                "`audio` must be one path, a waveform or a batch of waveforms. Received: a list "
                "of paths. Give a list of paths to `embed_files`."
            )
        arrays = [to_numpy(item) for item in audio]
        shapes = {array.shape for array in arrays}
        if all(len(shape) == 1 for shape in shapes):
            return arrays, True
        if len(shapes) > 1:
            raise ValueError(
                "`audio` must be a list of numbers or a list of waveforms `(samples,)`. Received: "
                f"a list of arrays of shapes {sorted(shapes)}"
            )
        audio = np.stack(arrays)
    return _split_array(to_numpy(audio))


def _split_array(array: np.ndarray) -> tuple[list[np.ndarray], bool]:
    if array.ndim == 1:
        return [array], False
    if array.ndim != 2:
        raise ValueError(
            "`audio` must be a path, a waveform `(samples,)` or a batch `(clips, samples)`. "
            f"Received: an array of shape {array.shape}"
        )
    clips, samples = array.shape
    if 0 < samples <= MOST_CHANNELS < clips:
        raise ValueError(
            "`audio` must be a waveform `(samples,)` or a batch `(clips, samples)`. Received: "
            f"shape {array.shape}, which looks like `(samples, channels)`. Mix the channels down "
            "first with `audio.mean(axis=1)`."
        )
    if clips == 0 or samples == 0:
        raise ValueError(
            "`audio` must hold at least one clip of at least one sample. "
            f"Received: an array of shape {array.shape}"
        )
    return list(array), True


def to_numpy(
    audio: Any, expected: str = "a path, a waveform `(samples,)` or a batch `(clips, samples)`"
) -> np.ndarray:
    """A list or a tensor of any backend as an array of numbers; `expected` is for the errors."""
    if hasattr(audio, "detach"):
        # A torch tensor may require gradients or live on another device.
        audio = audio.detach().cpu()
    try:
        array = np.asarray(audio)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`audio` must be {expected}. Received: {type(audio).__name__} ({error})"
        ) from error
    if array.dtype.kind not in "fiu":
        raise ValueError(
            "`audio` must hold floating-point or integer PCM samples. Received: "
            f"{type(audio).__name__} with dtype {array.dtype}"
        )
    return array


def _warn_if_stereo(first: np.ndarray, second: np.ndarray) -> None:
    if first.size != second.size:
        return
    if not np.array_equal(first, second):
        first, second = first - first.mean(), second - second.mean()
        scale = float(np.linalg.norm(first) * np.linalg.norm(second))
        if float(first @ second) <= STEREO_CORRELATION * scale:
            return
    warnings.warn(
        f"`audio` of shape (2, {first.size}) is read as a batch of two clips, but its two rows are "
        "alike, as the channels of a stereo recording are. If it is one recording, mix it down "
        "with `audio.mean(axis=0)`.",
        UserWarning,
        stacklevel=4,
    )
