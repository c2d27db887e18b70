import numpy as np

NORMALIZATIONS = ("none", "clip", "dataset")
# Keeps the values of a silent clip, whose standard deviation is zero, finite.
STD_OFFSET = 1e-8


def normalize_log_mel(
    log_mel: np.ndarray,
    normalization: str = "clip",
    mean: float | None = None,
    std: float | None = None,
    dynamic_range: float | None = None,
) -> np.ndarray:
    """Shift and scale a log-mel spectrogram.

    With `"clip"`, digital silence makes a mean and a standard deviation that say more about how far
    its floor lies below the sound than about the sound: the same word is scaled otherwise for each
    level and length. A `dynamic_range` puts the floor at the same distance in every clip.

    Args:
        log_mel: `(frames, bands)`, the whole clip.
        normalization: `"none"`; `"clip"`: by the mean and population standard deviation of all
            values of the clip; `"dataset"`: by the fixed `mean` and `std`.
        mean: used by `"dataset"` only.
        std: used by `"dataset"` only, greater than 0.
        dynamic_range: used by `"clip"` only: decibels below the loudest value. What is softer is
            raised to there first. `None`: no limit.

    Returns:
        float32, same shape.

    Raises:
        ValueError: an unknown `normalization`, `"dataset"` without usable `mean` and `std`, or a
            `dynamic_range` that is not positive.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel

    log_mel = log_mel_spectrogram(np.sin(np.arange(16000) / 10))
    normalize_log_mel(log_mel).std()  # 1.0
    ```
    """
    validate_normalization(normalization, mean, std, dynamic_range)
    if normalization == "none":
        return log_mel.astype("float32", copy=False)
    # float64: in float32 the rounding of the mean would be all that is left of a silent clip.
    log_mel = log_mel.astype("float64", copy=False)
    if normalization == "clip":
        if dynamic_range is not None:
            log_mel = np.maximum(log_mel, log_mel.max() - in_log_mel(dynamic_range))
        mean, std = log_mel.mean(), log_mel.std() + STD_OFFSET
    return ((log_mel - np.float64(mean)) / np.float64(std)).astype("float32")


def in_log_mel(decibels: float) -> float:
    """A distance in decibels as one of log-mel values, natural logarithms of a power."""
    return decibels * float(np.log(10)) / 10


def validate_normalization(
    normalization: str,
    mean: float | None,
    std: float | None,
    dynamic_range: float | None = None,
) -> None:
    """Raise a `ValueError` unless these arguments of `normalize_log_mel` make sense."""
    if dynamic_range is not None and not (np.isfinite(dynamic_range) and dynamic_range > 0):
        raise ValueError(
            "`dynamic_range` must be a positive number of decibels, or None. "
            f"Received: {dynamic_range}"
        )
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}"
        )
    if normalization != "dataset":
        return
    if mean is None or std is None:
        raise ValueError(
            'normalization="dataset" needs the `mean` and `std` of the data set\'s log-mel '
            f"values. Received: mean={mean}, std={std}"
        )
    if not (np.isfinite(mean) and np.isfinite(std) and std > 0):
        raise ValueError(
            f"`mean` must be finite and `std` finite and positive. Received: mean={mean}, std={std}"
        )
