import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


@dataclass(frozen=True)
class ShardIndex:
    """What is in a shard, so that a crop can be read and normalised without reading its clip.

    Args:
        offsets: int64 `(clips + 1,)`, the frames before each clip, and all frames.
        means: float64 `(clips,)`, of all values of a clip.
        stds: float64 `(clips,)`, population standard deviations.
    """

    offsets: np.ndarray
    means: np.ndarray
    stds: np.ndarray

    def __len__(self) -> int:
        return len(self.means)

    def save(
        self,
        file: BinaryIO,
        clips: Sequence[dict[str, Any]],
        skipped: Sequence[dict[str, Any]],
    ) -> None:
        """Write it, with a record for each clip and for each that was skipped."""
        np.savez(
            file,
            offsets=self.offsets,
            means=self.means,
            stds=self.stds,
            clips=_to_bytes(clips),
            skipped=_to_bytes(skipped),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "ShardIndex":
        """Read it, without the records.

        Raises:
            ValueError: the file is missing or damaged.
        """
        with _open(path) as file:
            return cls(file["offsets"], file["means"], file["stds"])

    @staticmethod
    def load_records(path: str | os.PathLike[str], kind: str) -> list[dict[str, Any]]:
        """The records of `clips` or of `skipped`."""
        with _open(path) as file:
            return [json.loads(line) for line in file[kind].tobytes().splitlines()]


def _to_bytes(records: Sequence[dict[str, Any]]) -> np.ndarray:
    lines = "".join(
        json.dumps(record, ensure_ascii=False, default=str) + "\n" for record in records
    )
    return np.frombuffer(lines.encode("utf-8", "surrogateescape"), "uint8")


def _open(path: str | os.PathLike[str]) -> Any:
    try:
        return np.load(Path(path), allow_pickle=False)
    except (EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Expected the index of a prepared shard. Received: {path} ({error})"
        ) from error
