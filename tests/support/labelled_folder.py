"""Clips of a few classes that a small classifier learns in no time."""

from pathlib import Path

import numpy as np
import soundfile

FREQUENCIES = {"high": 3600, "low": 400, "middle": 1200}


def write_tones(folder: Path, files: int, seed: int = 0) -> Path:
    """Tones in noise, 0.25 s long, in a sub-folder for each of three classes."""
    rng = np.random.default_rng(seed)
    for name, frequency in FREQUENCIES.items():
        (folder / name).mkdir(parents=True)
        for i in range(files):
            time = np.arange(4000) / 16000
            tone = np.sin(2 * np.pi * frequency * rng.uniform(0.8, 1.2) * time)
            clip = 0.3 * tone + 0.05 * rng.normal(size=time.size)
            soundfile.write(folder / name / f"{i}.wav", clip, 16000)
    return folder
