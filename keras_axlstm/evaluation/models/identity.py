"""Hashes of what determines a model's embeddings."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import keras_axlstm


def identity_of(settings: dict[str, Any], arrays: Iterable[np.ndarray] = ()) -> str:
    """Hexadecimal SHA-256 of settings, arrays and this package's version.

    Args:
        settings: anything that JSON can hold; other values by their text.
        arrays: weights, in a fixed order.
    """
    settings = {**settings, "keras_axlstm": keras_axlstm.__version__}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def hash_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_path(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_file():
        return hash_of_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {hash_of_file(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
