"""Noise in bands, made once and read from different places."""

import functools

import numpy as np

from corpus_making.streams import BAND_EDGES, BANDS
from task_making.recipe import RATE, generator

BANK_SAMPLES = 1 << 19
_EDGE_OCTAVES = 0.15


@functools.lru_cache(maxsize=1)
def noise_bank() -> np.ndarray:
    """Noise of a power of 1 in each band, float32 `(BANDS, BANK_SAMPLES)`; its ends meet."""
    rng = generator(0, "corpus", "noise bank")
    frequency = np.maximum(np.fft.rfftfreq(BANK_SAMPLES, 1 / RATE), 1.0)
    bank = np.empty((BANDS, BANK_SAMPLES), "float32")
    for band in range(BANDS):
        low, high = BAND_EDGES[band : band + 2]
        above = np.clip(0.5 + np.log2(frequency / low) / _EDGE_OCTAVES, 0, 1)
        below = np.clip(0.5 - np.log2(frequency / high) / _EDGE_OCTAVES, 0, 1)
        spectrum = np.fft.rfft(rng.standard_normal(BANK_SAMPLES)) * above * below
        noise = np.fft.irfft(spectrum, BANK_SAMPLES)
        bank[band] = noise / np.sqrt(np.mean(np.square(noise)))
    return bank
