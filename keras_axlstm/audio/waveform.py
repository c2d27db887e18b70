from typing import Any

import numpy as np

# Zero level and full scale of the integer formats that audio files and decoders use.
_PCM_RANGE = {"uint8": (128, 128), "int16": (0, 2**15), "int32": (0, 2**31)}


def validate_waveform(waveform: Any, name: str = "waveform") -> np.ndarray:
    """A mono waveform as float32, or an error that says what is wrong with it.

    Args:
        waveform: array-like `(samples,)`, at least one sample: floating point, used as it is, or
            integer PCM (int16, int32, uint8), scaled to [-1, 1).
        name: what the error messages call it.

    Returns:
        float32 `(samples,)`. A float32 array is not copied.

    Raises:
        ValueError: wrong rank, no samples, another dtype, NaN or infinite samples.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.audio import validate_waveform

    validate_waveform(np.array([0, -32768], "int16"))  # [0., -1.]
    ```
    """
    waveform = np.asarray(waveform)
    _check_shape(waveform, name)
    if waveform.dtype.name in _PCM_RANGE:
        zero, full_scale = _PCM_RANGE[waveform.dtype.name]
        return ((waveform.astype("float64") - zero) / full_scale).astype("float32")
    if waveform.dtype.kind != "f":
        raise ValueError(
            f"`{name}` must be floating point in [-1, 1] or integer PCM "
            f"({', '.join(_PCM_RANGE)}). Received: dtype {waveform.dtype}. Scale the samples to "
            "[-1, 1] as float32 first."
        )
    with np.errstate(over="ignore"):
        waveform = waveform.astype("float32", copy=False)
    problem = describe_non_finite(waveform)
    if problem:
        raise ValueError(f"`{name}` must be finite. Received: {problem}.")
    return waveform


def describe_non_finite(samples: np.ndarray) -> str:
    """How many samples `(samples,)` are NaN or infinite and where; empty if none."""
    bad = np.flatnonzero(~np.isfinite(samples))
    if not bad.size:
        return ""
    return f"{bad.size} of {samples.size} samples are NaN or infinite, the first at index {bad[0]}"


def _check_shape(waveform: np.ndarray, name: str) -> None:
    if waveform.ndim == 2:
        axis = int(np.argmin(waveform.shape))
        raise ValueError(
            f"`{name}` must be mono, of shape (samples,). Received: shape {waveform.shape}. An "
            f"array of two axes is not a batch here: mix stereo down with `.mean(axis={axis})`, or "
            "give the clips one by one."
        )
    if waveform.ndim != 1:
        raise ValueError(f"`{name}` must have shape (samples,). Received: shape {waveform.shape}.")
    if waveform.size == 0:
        raise ValueError(f"`{name}` must have at least one sample. Received: shape (0,).")
