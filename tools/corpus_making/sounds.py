"""Reading sounds from files, and placing them in a clip."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from corpus_making.streams import SAMPLES
from task_making.recipe import RATE

_QUIET = 0.003


def read_sound(path: Path) -> np.ndarray:
    """All channels as one at `RATE`, without the silence around; empty if nothing can be heard."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return np.zeros(0)
    mono = samples.mean(axis=1)
    loud = np.flatnonzero(np.abs(mono) > _QUIET)
    if not loud.size:
        return np.zeros(0)
    return soxr.resample(mono[loud[0] : loud[-1] + 1], rate, RATE, quality="HQ")


def play_slower(sound: np.ndarray, factor: float) -> np.ndarray:
    """Lower and longer by `factor`: a voice becomes that of somebody with a longer throat."""
    return soxr.resample(sound, RATE, RATE * factor, quality="HQ") if sound.size else sound


def place(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Anywhere in a clip of `SAMPLES`; a longer sound is cut anywhere."""
    if sound.size > SAMPLES:
        start = int(rng.integers(sound.size - SAMPLES + 1))
        return sound[start : start + SAMPLES]
    start = int(rng.integers(SAMPLES - sound.size + 1))
    return np.pad(sound, (start, SAMPLES - sound.size - start))
