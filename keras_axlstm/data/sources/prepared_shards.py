import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.shards import LAYOUTS, ShardIndex
from keras_axlstm.data.sources.clip import Clip
from keras_axlstm.data.sources.clip_source import ClipSource

DATASET_FILE = "dataset.json"
FORMAT = "keras-axlstm log-mel shards"


class PreparedShards(ClipSource):
    """Log-mel spectrograms in float16 that `keras-axlstm prepare` wrote.

    Args:
        folder: the output of `prepare`.
        settings: arguments of `log_mel_spectrogram` that the clips must have been made with.

    Raises:
        ValueError: the folder was not made by `prepare`, with other settings, or lacks some data.
    """

    def __init__(
        self, folder: str | os.PathLike[str], settings: Mapping[str, Any] | None = None
    ) -> None:
        self._folder = Path(folder)
        self.description = read_description(self._folder)
        super().__init__(self.description["log_mel"]["num_mel_bins"])
        if settings is not None:
            _check_settings(self._folder, self.description["log_mel"], dict(settings))
        stems = [shard["name"] for shard in self.description["shards"]]
        layout = LAYOUTS[self.description["layout"]]
        self._index_files = [self._folder / f"{stem}.index.npz" for stem in stems]
        indices = [ShardIndex.load(path) for path in self._index_files]
        self._shards = [
            layout.Reader(self._folder / f"{stem}{layout.SUFFIX}", index.offsets, self.num_bands)
            for stem, index in zip(stems, indices, strict=True)
        ]
        self._first_clips = np.cumsum([0, *(len(index) for index in indices)])
        self._means = np.concatenate([index.means for index in indices])
        self._stds = np.concatenate([index.stds for index in indices])
        self._metadata: tuple[int, list[dict[str, Any]]] | None = None

    def __len__(self) -> int:
        return int(self._first_clips[-1])

    def __getitem__(self, index: int) -> Clip:
        number = int(np.searchsorted(self._first_clips, index, side="right")) - 1
        shard, clip = self._shards[number], index - int(self._first_clips[number])

        def read(start: int, stop: int) -> np.ndarray:
            try:
                return shard.read(clip, start, stop)
            except OSError as error:
                raise AudioFileError(self.name(index), f"its shard is damaged: {error}") from error

        return Clip(
            shard.num_frames(clip), float(self._means[index]), float(self._stds[index]), read
        )

    def name(self, index: int) -> str:
        return self._record(index)["name"]

    def metadata(self, index: int) -> dict[str, Any]:
        return self._record(index)["metadata"]

    def _record(self, index: int) -> dict[str, Any]:
        number = int(np.searchsorted(self._first_clips, index, side="right")) - 1
        if self._metadata is None or self._metadata[0] != number:
            self._metadata = number, ShardIndex.load_records(self._index_files[number], "clips")
        return self._metadata[1][index - int(self._first_clips[number])]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_metadata": None}


def is_prepared(folder: Any) -> bool:
    """True for a folder that `prepare` has finished."""
    return isinstance(folder, (str, os.PathLike)) and Path(folder, DATASET_FILE).is_file()


def read_description(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What `prepare` says of a folder: settings, statistics, shards.

    Raises:
        ValueError: it was not made by `prepare`.
    """
    file = Path(folder, DATASET_FILE)
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        known = description["format"] == FORMAT and description["version"] == 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected a folder made by `keras-axlstm prepare`. Received: {folder} "
            f"({type(error).__name__} in {DATASET_FILE})"
        ) from error
    if not known:
        raise ValueError(
            f"Expected {FORMAT!r}, version 1, in {file}. Received: {description['format']!r}, "
            f"version {description['version']!r}. Prepare it anew, or update keras-axlstm."
        )
    return description


def _check_settings(folder: Path, prepared: dict[str, Any], wanted: dict[str, Any]) -> None:
    different = [
        f"{name}={prepared.get(name)!r} there, {value!r} here"
        for name, value in wanted.items()
        if not _same(prepared.get(name), value)
    ]
    if different:
        raise ValueError(
            f"{folder} was prepared with other settings: {'; '.join(different)}. Use the same, or "
            "prepare the audio anew."
        )


def _same(one: Any, other: Any) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=1e-12)
