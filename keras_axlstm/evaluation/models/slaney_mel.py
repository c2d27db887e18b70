import numpy as np

# The Slaney scale is linear up to this frequency, and logarithmic above.
KNEE_HERTZ = 1000.0
HERTZ_PER_MEL = 200 / 3
MELS_PER_LOG_UNIT = 27 / np.log(6.4)


def slaney_mel_filters(sampling_rate: int, window_length: int, bands: int) -> np.ndarray:
    """Triangular bands from 0 Hz to half the rate on the mel scale of Slaney's Auditory Toolbox.

    Args:
        sampling_rate: in Hz.
        window_length: samples of a Fourier transform.
        bands: number of bands.

    Returns:
        float64 `(window_length // 2 + 1, bands)`; each band has an area of 1 over frequency in Hz.
    """
    edges = _mel_to_hertz(np.linspace(0, _hertz_to_mel(sampling_rate / 2), bands + 2))
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    bins = np.linspace(0, sampling_rate / 2, window_length // 2 + 1)[:, np.newaxis]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)


def _hertz_to_mel(hertz: float) -> float:
    if hertz < KNEE_HERTZ:
        return hertz / HERTZ_PER_MEL
    return KNEE_HERTZ / HERTZ_PER_MEL + MELS_PER_LOG_UNIT * np.log(hertz / KNEE_HERTZ)


def _mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    above = np.maximum(mel - KNEE_HERTZ / HERTZ_PER_MEL, 0)
    linear = np.minimum(mel * HERTZ_PER_MEL, KNEE_HERTZ)
    return linear * np.exp(above / MELS_PER_LOG_UNIT)
