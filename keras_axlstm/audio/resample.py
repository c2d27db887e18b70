import numpy as np

from keras_axlstm.audio.waveform import validate_waveform


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Change the sampling rate of a mono waveform, with soxr in its "HQ" quality.

    Args:
        waveform: `(samples,)`, as `validate_waveform` takes it.
        from_rate: its rate in Hz.
        to_rate: the wanted rate in Hz.

    Returns:
        float32 `(samples * to_rate / from_rate,)`, at least one sample. The waveform itself if the
        rates are equal.

    Raises:
        ValueError: a rate that is not a positive integer, or a bad waveform.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.audio import resample

    resample(np.zeros(44100, "float32"), 44100, 16000).shape  # (16000,)
    ```
    """
    waveform = validate_waveform(waveform)
    check_rate(from_rate, "from_rate")
    check_rate(to_rate, "to_rate")
    if from_rate == to_rate:
        return waveform

    import soxr

    resampled = soxr.resample(waveform, from_rate, to_rate, quality="HQ")
    # So few samples that none is left at the lower rate.
    return resampled if resampled.size else waveform[:1]


def check_rate(rate: int, name: str) -> None:
    """Raise a `ValueError` unless `rate` is a positive integer."""
    if isinstance(rate, bool) or not isinstance(rate, (int, np.integer)) or rate < 1:
        raise ValueError(
            f"`{name}` must be a positive integer, in samples a second. Received: {rate!r}"
        )
