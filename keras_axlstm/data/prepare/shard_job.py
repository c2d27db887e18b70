import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.shards import LAYOUTS, ShardIndex
from keras_axlstm.data.sources.clip import log_mel_statistics
from keras_axlstm.data.sources.clip_source import ClipSource

UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class ShardJob:
    """The shards of a data set, each of which can be made on its own, anywhere, in any order.

    A shard follows from the source and its number alone: its bytes do not depend on who makes it.

    Args:
        source: the clips; shard `i` has those from `i * clips_per_shard` on.
        folder: where the shards go.
        layout: a key of `LAYOUTS`.
        clips_per_shard: clips of a shard, unreadable ones included.
    """

    source: ClipSource
    folder: Path
    layout: str
    clips_per_shard: int

    @property
    def num_shards(self) -> int:
        return -(-len(self.source) // self.clips_per_shard)

    def clips(self, number: int) -> range:
        """The clips of a shard."""
        first = number * self.clips_per_shard
        return range(first, min(first + self.clips_per_shard, len(self.source)))

    def stem(self, number: int) -> str:
        """The name of a shard without endings."""
        return f"shard-{number:05d}-of-{self.num_shards:05d}"

    def files(self, number: int) -> tuple[Path, Path]:
        """Of the frames and of the index. The second is there only if the shard is finished."""
        stem = self.stem(number)
        suffix = LAYOUTS[self.layout].SUFFIX
        return self.folder / f"{stem}{suffix}", self.folder / f"{stem}.index.npz"

    def write(self, number: int) -> int:
        """Make a shard and give its number; nothing to do if it is finished."""
        frames_file, index_file = self.files(number)
        if index_file.exists():
            return number
        clips: list[dict[str, Any]] = []
        skipped: list[dict[str, Any]] = []
        lengths, means, stds = [0], [], []
        with _replacing(frames_file) as unfinished:
            writer = LAYOUTS[self.layout].Writer(unfinished, self.source.num_bands)
            for index in self.clips(number):
                try:
                    log_mel = self._read(index)
                except AudioFileError as error:
                    skipped.append({"name": os.fspath(error.path), "reason": str(error)})
                    continue
                writer.append(log_mel)
                # Of the rounded values: those of a silent clip differ from the mean of the others
                # by far more than the standard deviation that they would be divided by.
                mean, std = log_mel_statistics(log_mel)
                lengths.append(len(log_mel))
                means.append(mean)
                stds.append(std)
                name = os.fspath(self.source.name(index))
                clips.append({"name": name, "metadata": self.source.metadata(index)})
            writer.close()
        shard = ShardIndex(np.cumsum(lengths), np.array(means, "f8"), np.array(stds, "f8"))
        with _replacing(index_file) as unfinished, open(unfinished, "wb") as file:
            shard.save(file, clips, skipped)
            file.flush()
            os.fsync(file.fileno())
        return number

    def _read(self, index: int) -> np.ndarray:
        """The whole clip in float16."""
        clip = self.source[index]
        with np.errstate(over="ignore"):
            log_mel = clip.read(0, clip.num_frames).astype("<f2", copy=False)
        if not np.isfinite(log_mel).all():
            raise AudioFileError(self.source.name(index), "its values are too large for float16.")
        return log_mel


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file that takes its place when it is complete.

    The name is random, because a cluster may make a shard twice at the same time.
    """
    unfinished = path.with_name(f"{UNFINISHED}{secrets.token_hex(4)}-{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
