import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.sources.clip import Clip
from keras_axlstm.data.sources.clip_source import ClipSource
from keras_axlstm.data.sources.pickled_array import load_array

# The authors' name for the spectrogram first, then a plain one.
ARRAY_ENDINGS = ("data.pyd", "npy")
LABEL_ENDING = "target.pyd"


class LogMelTars(ClipSource):
    """WebDataset tars of log-mel spectrograms, in the layout of the paper's authors.

    A clip is the members of the same name up to the first dot: `<key>.data.pyd` (or `<key>.npy`), a
    floating-point array `(frames, bands)` that is not normalised, and possibly `<key>.target.pyd`,
    its labels. Arrays are in NumPy's format or pickled; of a pickle nothing but an array is loaded.

    Args:
        paths: uncompressed tar files.
        settings: arguments of `log_mel_spectrogram` that the arrays were made with.

    Raises:
        ValueError: a file is not an uncompressed tar, or none has a clip in it.
    """

    def __init__(
        self, paths: Sequence[str | os.PathLike[str]], settings: Mapping[str, Any]
    ) -> None:
        super().__init__(settings["num_mel_bins"])
        self._paths = [os.fspath(path) for path in paths]
        self._keys: list[str] = []
        tars: list[int] = []
        arrays: list[tuple[int, int]] = []
        labels: list[tuple[int, int]] = []
        for number, path in enumerate(self._paths):
            for key, members in _samples(path).items():
                place = next((members[name] for name in ARRAY_ENDINGS if name in members), None)
                if place is None:
                    continue
                self._keys.append(key)
                tars.append(number)
                arrays.append(place)
                labels.append(members.get(LABEL_ENDING, (0, 0)))
        if not self._keys:
            raise ValueError(
                f"Expected members <key>.data.pyd or <key>.npy in {', '.join(self._paths[:3])}"
                f"{', ...' if len(self._paths) > 3 else ''}. Found none."
            )
        # Arrays, because AudioSet has two million clips, and each worker process has a copy.
        self._tars = np.array(tars, "int32")
        self._arrays = np.array(arrays, "int64")
        self._labels = np.array(labels, "int64")

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Clip:
        array = self._load(index, self._arrays)
        if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] != self.num_bands:
            raise AudioFileError(
                self.name(index),
                f"expected a log-mel spectrogram (frames, {self.num_bands}), found an array of "
                f"shape {array.shape}.",
            )
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise AudioFileError(
                self.name(index),
                f"expected finite floating-point values, found {array.dtype} with "
                f"{'NaN or infinity' if array.dtype.kind == 'f' else 'no fraction'}.",
            )
        return Clip.of(array)

    def name(self, index: int) -> str:
        return f"{self._paths[self._tars[index]]}/{self._keys[index]}"

    def metadata(self, index: int) -> dict[str, Any]:
        if not self._labels[index, 1]:
            return {}
        return {"label": self._load(index, self._labels).tolist()}

    def _load(self, index: int, places: np.ndarray) -> np.ndarray:
        offset, size = map(int, places[index])
        try:
            with open(self._paths[self._tars[index]], "rb", buffering=0) as file:
                file.seek(offset)
                data = file.read(size)
            if len(data) < size:
                raise ValueError(f"only {len(data)} of {size} bytes are there")
            return load_array(data)
        except (OSError, ValueError) as error:
            raise AudioFileError(self.name(index), f"it is damaged: {error}.") from error


def _samples(path: str) -> dict[str, dict[str, tuple[int, int]]]:
    """By key, and by ending, where a member's data begins and how long it is."""
    samples: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name = Path(member.name).name
                key, dot, ending = name.partition(".")
                if member.isfile() and key and dot:
                    key = member.name[: len(member.name) - len(name)] + key
                    samples.setdefault(key, {})[ending] = member.offset_data, member.size
                # The list of members would otherwise grow with the tar.
                tar.members = []  # type: ignore[attr-defined]
    except (tarfile.TarError, OSError) as error:
        # Of a tar that was cut off, the clips before the cut are as good as ever.
        if not samples:
            raise ValueError(
                f"Expected an uncompressed tar file. Received: {path} ({error})"
            ) from error
    return samples
