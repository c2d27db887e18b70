"""Audio files as they lie about in large collections."""

from pathlib import Path

import numpy as np
import soundfile


def write_corrupt_audio(folder: Path, good: int) -> tuple[list[str], dict[str, str]]:
    """Half-second tones, and files with everything that goes wrong.

    Returns:
        Names of the files that can be read, sorted, and by name what is said of the others.
    """
    folder.mkdir()
    tone = 0.5 * np.sin(np.arange(8000) / 5)
    for i in range(good):
        soundfile.write(folder / f"good{i:03d}.flac", tone, 16000)
    odd = {"rate.wav": 8000, "short.wav": 16000}
    soundfile.write(folder / "rate.wav", np.stack([tone, -tone / 2], 1), 8000, subtype="PCM_24")
    soundfile.write(folder / "short.wav", tone[:1600], 16000)
    noise = np.random.default_rng(0).uniform(-1, 1, 8000)
    for kind in ("flac", "wav", "mp3"):
        soundfile.write(folder / f"cut.{kind}", noise, 16000)
        data = (folder / f"cut.{kind}").read_bytes()
        (folder / f"cut.{kind}").write_bytes(data[: len(data) // 2])
    (folder / "text.mp3").write_text("no audio at all\n" * 100)
    (folder / "empty.wav").touch()
    soundfile.write(folder / "nan.wav", np.full(8000, np.nan), 16000, subtype="FLOAT")
    unreadable = {
        "cut.flac": "it is damaged",
        "text.mp3": "not in a supported format",
        "empty.wav": "it is empty (0 bytes)",
        "nan.wav": "8000 of 8000 samples are NaN or infinite",
    }
    # Formats that do not state their length are read as far as they go.
    readable = sorted([f"good{i:03d}.flac" for i in range(good)] + [*odd, "cut.wav", "cut.mp3"])
    return readable, unreadable
