"""Embeddings in one npz file."""

import zipfile
from pathlib import Path

import numpy as np


class NpzWriter:
    """Writes an npz file as the embeddings come; frames go to disk at once.

    Scenes: `path` `(files,)` strings, `embedding` `(files, d)` float32.

    Timestamps: `path` `(files,)` strings, and for the file in row i `embedding/{i}` `(t, d)`
    float32 and `times_ms/{i}` `(t,)` float64. Numbers and not names, because files in two folders
    may share a name.
    """

    def __init__(self, path: Path):
        self._archive = zipfile.ZipFile(path, "w", allowZip64=True)
        self._paths: list[str] = []
        self._scenes: list[np.ndarray] = []

    def add(self, path: str, embedding: np.ndarray, times_ms: np.ndarray | None) -> None:
        """Take one file's `(d,)`, or its `(t, d)` with `times_ms` `(t,)`."""
        index = len(self._paths)
        self._paths.append(path)
        if times_ms is None:
            self._scenes.append(embedding)
        else:
            self._write(f"embedding/{index}", embedding)
            self._write(f"times_ms/{index}", times_ms)

    def close(self) -> None:
        """Finish the file."""
        self._write("path", np.array(self._paths, dtype=str))
        if self._scenes:
            self._write("embedding", np.stack(self._scenes))
        self._archive.close()

    def _write(self, name: str, array: np.ndarray) -> None:
        with self._archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, array, allow_pickle=False)
