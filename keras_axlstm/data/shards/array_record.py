"""A record for each clip in an `.array_record` file, as other tools of JAX's world read them."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".array_record"
# Each record alone in its chunk: clips are read one by one in random order.
OPTIONS = "group_size:1"


def check_available() -> None:
    """Raise an `ImportError` where the package array_record is missing."""
    _module()


class Writer:
    """Writes each clip as a record that holds a `.npy` file of float16 `(frames, bands)`.

    Args:
        path: the file to make.
        num_bands: bands of a frame.

    Raises:
        ImportError: array_record is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], num_bands: int) -> None:
        self._writer = _module().ArrayRecordWriter(os.fspath(path), OPTIONS)

    def append(self, log_mel: np.ndarray) -> None:
        """Write a clip, float16 `(frames, bands)`."""
        record = io.BytesIO()
        np.save(record, log_mel, allow_pickle=False)
        self._writer.write(record.getvalue())

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


class Reader:
    """Reads clips; always whole ones.

    Args:
        path: the file.
        offsets: int64 `(clips + 1,)`, the frames before each clip, and all frames.
        num_bands: bands of a frame.

    Raises:
        ImportError: array_record is not installed.
        ValueError: the file is missing.
    """

    def __init__(self, path: Path, offsets: np.ndarray, num_bands: int) -> None:
        _module()
        if not path.is_file():
            raise ValueError(f"Expected a prepared shard. Received: no file {path}")
        self._path = os.fspath(path)
        self._offsets = offsets
        self._open: Any = None

    def num_frames(self, clip: int) -> int:
        """Length of a clip."""
        return int(self._offsets[clip + 1] - self._offsets[clip])

    def read(self, clip: int, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop` of a clip, float16 `(stop - start, bands)`."""
        if self._open is None:
            self._open = _module().ArrayRecordReader(self._path)
        try:
            (record,) = self._open.read([clip])
            return np.load(io.BytesIO(record), allow_pickle=False)[start:stop]
        except (IndexError, RuntimeError, ValueError) as error:
            raise OSError(f"{self._path}, record {clip}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}


def _module() -> Any:
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise ImportError(
            "The layout array_record needs the package array_record, which has no build for every "
            "system. The layout flat needs nothing."
        ) from error
    return array_record_module
