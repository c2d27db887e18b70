import functools
from typing import Any

import numpy as np

from keras_axlstm.audio.resample import check_rate
from keras_axlstm.audio.waveform import validate_waveform

# Added to the power of a band before the logarithm.
LOG_OFFSET = 1.1920929e-07
# Frames transformed together: few enough to stay in the processor's cache, and for a matrix product
# that the BLAS does not spread over threads, which would fight with those of other data workers.
_BLOCK = 32


def log_mel_spectrogram(
    waveform: Any,
    *,
    sampling_rate: int = 16000,
    num_mel_bins: int = 80,
    window_length: int = 400,
    hop_length: int = 160,
    min_frequency: float = 50.0,
    max_frequency: float = 8000.0,
) -> np.ndarray:
    """Log-mel spectrogram of one clip, in NumPy.

    Power of a short-time Fourier transform (periodic Hann window as long as the transform, frames
    centred on multiples of the hop, ends reflected), summed in triangular bands that are equally
    spaced on the HTK mel scale and not normalised by area, then `log(power + 1.1920929e-07)`.

    A clip of up to `window_length / 2` samples is too short to be reflected: zeros are appended to
    the shortest length that can be, `window_length / 2 + 1`. Any clip of at least one sample works.

    `keras_axlstm.layers.LogMelSpectrogram` is the same in a model.

    Args:
        waveform: `(samples,)`, floating point in [-1, 1] or integer PCM (see `validate_waveform`).
        sampling_rate: rate of the waveform in Hz. It is not resampled.
        num_mel_bins: number of bands.
        window_length: samples of a frame, even.
        hop_length: samples from one frame to the next.
        min_frequency: lower edge of the lowest band in Hz.
        max_frequency: upper edge of the highest band in Hz, at most half the sampling rate.

    Returns:
        float32 `(samples // hop_length + 1, num_mel_bins)`.

    Raises:
        ValueError: a bad waveform or argument.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.audio import log_mel_spectrogram

    log_mel_spectrogram(np.zeros(32000, "float32")).shape  # (201, 80)
    ```
    """
    waveform = validate_waveform(waveform)
    filters = mel_filter_bank(
        sampling_rate, num_mel_bins, window_length, min_frequency, max_frequency
    )
    check_hop(hop_length)
    window = hann_window(window_length)
    padded = _reflect(waveform, window_length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop_length]
    return log_mel_frames(frames[: waveform.size // hop_length + 1], window, filters)


def log_mel_frames(frames: np.ndarray, window: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Log-mel values of stretches of a waveform.

    Args:
        frames: `(frames, window_length)`, may be a view with overlap.
        window: `(window_length,)`, see `hann_window`.
        filters: `(bins, bands)`, see `mel_filter_bank`.

    Returns:
        float32 `(frames, bands)`.
    """
    log_mel = np.empty((len(frames), filters.shape[1]), "float32")
    for start in range(0, len(log_mel), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(log_mel)))
        # In float64: float32 rounding would show in quiet bands beside a loud tone.
        spectrum = np.fft.rfft(frames[block] * window)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        log_mel[block] = np.log(power @ filters + LOG_OFFSET)
    return log_mel


@functools.lru_cache(maxsize=8)
def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window, float64 `(length,)`, read-only."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    window.setflags(write=False)
    return window


@functools.lru_cache(maxsize=8)
def mel_filter_bank(
    sampling_rate: int,
    num_mel_bins: int,
    window_length: int,
    min_frequency: float,
    max_frequency: float,
) -> np.ndarray:
    """Weights of the Fourier bins in the bands, float64 `(bins, num_mel_bins)`, read-only.

    Raises:
        ValueError: a bad argument, or a band so narrow that no bin lies in it.
    """
    check_rate(sampling_rate, "sampling_rate")
    _check_bands(sampling_rate, num_mel_bins, window_length, min_frequency, max_frequency)
    edges = _mel_to_hertz(
        np.linspace(_hertz_to_mel(min_frequency), _hertz_to_mel(max_frequency), num_mel_bins + 2)
    )
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    bins = np.linspace(0, sampling_rate / 2, window_length // 2 + 1)[:, np.newaxis]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    filters = np.maximum(0, np.minimum(rising, falling))
    empty = np.flatnonzero(filters.sum(axis=0) == 0)
    if empty.size:
        raise ValueError(
            f"Every mel band must hold a Fourier bin. Received: num_mel_bins={num_mel_bins} and "
            f"window_length={window_length}, with which {empty.size} bands hold none, the first "
            f"from {lower[empty[0]]:.1f} to {upper[empty[0]]:.1f} Hz. Take fewer bands or a longer "
            "window."
        )
    filters.setflags(write=False)
    return filters


def check_hop(hop_length: int) -> None:
    """Raise a `ValueError` unless `hop_length` is a positive integer."""
    if not _is_integer(hop_length) or hop_length < 1:
        raise ValueError(f"`hop_length` must be a positive integer. Received: {hop_length!r}")


def _check_bands(
    sampling_rate: int,
    num_mel_bins: int,
    window_length: int,
    min_frequency: float,
    max_frequency: float,
) -> None:
    if not _is_integer(num_mel_bins) or num_mel_bins < 1:
        raise ValueError(f"`num_mel_bins` must be a positive integer. Received: {num_mel_bins!r}")
    if not _is_integer(window_length) or window_length < 2 or window_length % 2:
        raise ValueError(
            f"`window_length` must be a positive even integer. Received: {window_length!r}"
        )
    if not 0 <= min_frequency < max_frequency <= sampling_rate / 2:
        raise ValueError(
            "The bands must satisfy 0 <= min_frequency < max_frequency <= sampling_rate / 2. "
            f"Received: min_frequency={min_frequency}, max_frequency={max_frequency}, "
            f"sampling_rate={sampling_rate}"
        )


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _reflect(waveform: np.ndarray, padding: int) -> np.ndarray:
    missing = max(0, padding + 1 - waveform.size)
    return np.pad(np.pad(waveform, (0, missing)), padding, mode="reflect")


def _hertz_to_mel(frequency: float) -> float:
    return 2595 * np.log10(1 + frequency / 700)


def _mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    return 700 * (10 ** (mel / 2595) - 1)
