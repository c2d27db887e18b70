"""All frames of a shard in one `.npy` file, which NumPy opens and every system can seek in."""

import os
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".npy"
DTYPE = np.dtype("<f2")


def check_available() -> None:
    """It is, everywhere."""


class Writer:
    """Appends clips to a `.npy` file of float16 `(frames, bands)`.

    Args:
        path: the file to make.
        num_bands: bands of a frame.
    """

    def __init__(self, path: str | os.PathLike[str], num_bands: int) -> None:
        self._file = open(path, "wb")
        self._num_bands = num_bands
        self._num_frames = 0
        self._write_header()

    def append(self, log_mel: np.ndarray) -> None:
        """Write a clip, float16 `(frames, bands)`."""
        self._file.write(np.ascontiguousarray(log_mel, DTYPE).data)
        self._num_frames += len(log_mel)

    def close(self) -> None:
        """Write what is known only now, the number of frames."""
        self._file.seek(0)
        self._write_header()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _write_header(self) -> None:
        # NumPy leaves room in it for the first axis to grow, so its length does not change.
        header: Any = {
            "descr": DTYPE.str,
            "fortran_order": False,
            "shape": (self._num_frames, self._num_bands),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


class Reader:
    """Reads frames of clips.

    The file is opened for every crop and only the frames asked for are read: a few microseconds on
    a local disk, no open file per shard, nothing shared between threads or processes, and, unlike
    with memory mapping, no memory that grows with what was read.

    Args:
        path: the file.
        offsets: int64 `(clips + 1,)`, the frames before each clip, and all frames.
        num_bands: bands of a frame.

    Raises:
        ValueError: the file is missing, or not as long as the index says.
    """

    def __init__(self, path: Path, offsets: np.ndarray, num_bands: int) -> None:
        self._path = os.fspath(path)
        self._offsets = offsets
        self._num_bands = num_bands
        expected = (int(offsets[-1]), num_bands)
        try:
            with open(path, "rb") as file:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                self._start = file.tell()
                size = file.seek(0, os.SEEK_END)
        except (OSError, ValueError) as error:
            raise ValueError(f"Expected a prepared shard. Received: {path} ({error})") from error
        if (shape, dtype) != (expected, DTYPE) or size != self._start + self._bytes(shape[0]):
            raise ValueError(
                f"{path} is damaged: expected float16 {expected}, found {dtype} {shape} in {size} "
                "bytes. Prepare the audio anew."
            )

    def num_frames(self, clip: int) -> int:
        """Length of a clip."""
        return int(self._offsets[clip + 1] - self._offsets[clip])

    def read(self, clip: int, start: int, stop: int) -> np.ndarray:
        """Frames `start` up to `stop` of a clip, float16 `(stop - start, bands)`."""
        frames = np.empty((stop - start, self._num_bands), DTYPE)
        with open(self._path, "rb", buffering=0) as file:
            file.seek(self._start + self._bytes(int(self._offsets[clip]) + start))
            if file.readinto(frames.data) != frames.nbytes:
                raise OSError(f"{self._path} ends too early")
        return frames

    def _bytes(self, frames: int) -> int:
        return frames * self._num_bands * DTYPE.itemsize
