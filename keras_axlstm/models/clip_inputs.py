"""What a caller hands to a classifier, as clips."""

import os

import numpy as np
from keras_hub.src.utils.tensor_utils import convert_to_numpy

from keras_axlstm.audio.read import check_audio_file
from keras_axlstm.embedding.waveforms import load_waveforms

# Unusable files that an error names.
_NAMED = 5


def is_dataset(x):
    """Whether `x` is a grain or `tf.data` data set."""
    import grain

    return isinstance(x, (grain.MapDataset, grain.IterDataset)) or hasattr(x, "element_spec")


def as_clips(x, preprocessor):
    """A list of paths, of waveforms `(samples,)` or of preprocessed inputs; data sets as they are.

    Args:
        x: a list of paths; a list of waveforms or an array `(clips, samples)`; a dict of arrays
            with a leading clip axis, already preprocessed; or a data set.
        preprocessor: what is to read the clips, or None.

    Raises:
        ValueError: none of these, a single clip, waveforms that are not finite, or files whose
            headers say that they cannot be read.
    """
    if is_dataset(x):
        return x
    if isinstance(x, dict):
        arrays = {name: convert_to_numpy(array) for name, array in x.items()}
        return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]
    if preprocessor is None:
        raise ValueError(
            "Without a preprocessor inputs must be a dict of `spectrogram` and `mask`, or a data "
            f"set of such. Received: {type(x).__name__}"
        )
    if isinstance(x, (str, os.PathLike)):
        raise ValueError(f"Audio must be a list of clips. Received: one path. Give [{str(x)!r}]")
    if _holds_paths(x):
        _check_files(x)
        return list(map(str, x))
    rate = preprocessor.audio_converter.sampling_rate
    waveforms, is_batch = load_waveforms(x, rate, rate)
    if not is_batch:
        raise ValueError(
            "Audio must be a list of clips or an array `(clips, samples)`. Received: one waveform "
            "`(samples,)`. Give [waveform]"
        )
    return waveforms


def _holds_paths(x):
    if isinstance(x, np.ndarray):
        return x.dtype.kind == "U" or (x.dtype.kind == "O" and isinstance(x.flat[0], str))
    return isinstance(x, (list, tuple)) and any(isinstance(p, (str, os.PathLike)) for p in x)


def _check_files(paths):
    problems = []
    for path in paths:
        try:
            check_audio_file(path)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        rest = len(problems) - _NAMED
        more = f" And {rest} more." if rest > 0 else ""
        raise ValueError(
            f"{len(problems)} of {len(paths)} files cannot be read: "
            + " ".join(problems[:_NAMED])
            + more
        )
