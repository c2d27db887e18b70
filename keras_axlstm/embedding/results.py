"""What `AudioEmbedder.embed_files` returns."""

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np


@dataclass
class FileEmbeddings:
    """The embeddings of many files. Every dict is keyed by the paths as they were given.

    Attributes:
        embeddings: `(d,)` arrays for scenes, `(t, d)` for timestamps; float32. Empty for
            timestamps that were written to a file: they can be larger than memory.
        times_ms: `(t,)` start of every frame in milliseconds; empty for scenes, and like
            `embeddings` when they were written to a file.
        seconds: length of every file that was embedded.
        failures: pairs of path and reason, one for every file that was skipped.
        output: the file that was written, or `None`.
    """

    embeddings: dict[str | PathLike, np.ndarray] = field(default_factory=dict)
    times_ms: dict[str | PathLike, np.ndarray] = field(default_factory=dict)
    seconds: dict[str | PathLike, float] = field(default_factory=dict)
    failures: list[tuple[str | PathLike, str]] = field(default_factory=list)
    output: Path | None = None
