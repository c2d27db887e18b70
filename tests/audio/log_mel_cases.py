"""Waveforms and expected values for everything that computes log-mel spectrograms."""

import numpy as np

from tests.support.golden import load_golden
from tests.support.tolerances import GOLDEN_LOG_MEL_RANGE_DB, LOG_MEL

GOLDEN_NAMES = ("speech", "chirp", "noise", "silence", "short")


def golden_wave(name: str) -> np.ndarray:
    return load_golden("logmel")[f"wave/{name}"]


def assert_equals_golden(actual: np.ndarray, name: str) -> None:
    """Every value that float32 can carry to 1e-3, and the root mean square of all."""
    expected = load_golden("logmel")[f"logmel/{name}"]
    assert actual.shape == expected.shape and actual.dtype == np.float32
    error = np.abs(actual - expected)
    decibels_down = (expected.max(axis=1, keepdims=True) - expected) * 10 / np.log(10)
    assert error[decibels_down <= GOLDEN_LOG_MEL_RANGE_DB].max() <= LOG_MEL
    assert np.sqrt(np.mean(error**2)) <= LOG_MEL


def hard_waves() -> dict[str, np.ndarray]:
    """Loud tones beside silence, where single-precision transforms show their rounding."""
    seconds = np.arange(16000) / 16000
    sine = np.sin(2 * np.pi * 1003.3 * seconds)
    click = np.zeros(4000)
    click[1234] = 1.0
    waves = {
        "full_scale_sine": sine,
        "square": np.sign(sine),
        "constant": np.ones(3000),
        "click": click,
        "faint": 1e-4 * sine,
        "above_full_scale": 1.9 * sine,
    }
    return {name: wave.astype("float32") for name, wave in waves.items()}


def oracle(
    waveform: np.ndarray, bands: int = 80, window: int = 400, hop: int = 160, rate: int = 16000
) -> np.ndarray:
    """The definition, written out in float64: no FFT, one frame and one band after the other."""
    padding = window // 2
    waveform = np.asarray(waveform, "float64")
    num_frames = len(waveform) // hop + 1
    if len(waveform) <= padding:
        waveform = np.concatenate([waveform, np.zeros(padding + 1 - len(waveform))])
    before, after = waveform[padding:0:-1], waveform[-2 : -padding - 2 : -1]
    padded = np.concatenate([before, waveform, after])

    turns = np.outer(np.arange(padding + 1), np.arange(window)) / window
    fourier = np.exp(-2j * np.pi * turns)
    hann = np.sin(np.pi * np.arange(window) / window) ** 2
    hertz = np.arange(padding + 1) * rate / window
    lowest, highest = (2595 * np.log10(1 + f / 700) for f in (50.0, rate / 2))
    edges = 700 * (10 ** (np.linspace(lowest, highest, bands + 2) / 2595) - 1)

    result = np.empty((num_frames, bands))
    for i in range(num_frames):
        power = np.abs(fourier @ (hann * padded[i * hop : i * hop + window])) ** 2
        for k in range(bands):
            triangle = np.interp(hertz, edges[k : k + 3], [0, 1, 0], left=0, right=0)
            result[i, k] = np.log(power @ triangle + 1.1920929e-07)
    return result
