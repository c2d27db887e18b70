import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from keras_axlstm.audio import (
    AudioFileError,
    check_audio_file,
    log_mel_spectrogram,
    read_audio,
)
from keras_axlstm.data.sources.clip import Clip
from keras_axlstm.data.sources.clip_source import ClipSource

Segment = tuple[float, float | None]


class AudioFiles(ClipSource):
    """Audio files, or parts of them, decoded when they are asked for.

    Args:
        paths: a path for each clip.
        settings: arguments of `log_mel_spectrogram`, `sampling_rate` among them.
        segments: start and end of each clip in its file in seconds; end None: to the end.
        columns: metadata of the clips: a list of values for each name.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        settings: Mapping[str, Any],
        segments: Sequence[Segment] | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        super().__init__(settings["num_mel_bins"])
        self._paths = paths
        self._settings = dict(settings)
        self._segments = segments
        self._columns = dict(columns or {})

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Clip:
        path, start, end = self.place(index)
        try:
            waveform = read_audio(path, self._settings["sampling_rate"], start, end)
        except AudioFileError as error:
            raise AudioFileError(self.name(index), error.reason) from error
        return self.clip_of(waveform)

    def place(self, index: int) -> tuple[str | os.PathLike[str], float, float | None]:
        """The file of a clip, and where in it the clip begins and ends, in seconds."""
        return self._paths[index], *self._segment(index)

    def clip_of(self, waveform: np.ndarray) -> Clip:
        """From a waveform at the sampling rate of the settings."""
        return Clip.of(log_mel_spectrogram(waveform, **self._settings))

    def name(self, index: int) -> Any:
        path = self._paths[index]
        start, end = self._segment(index)
        if start == 0 and end is None:
            return path
        return f"{os.fspath(path)} ({start:g} s to {'the end' if end is None else f'{end:g} s'})"

    def metadata(self, index: int) -> dict[str, Any]:
        return {name: values[index] for name, values in self._columns.items()}

    def find_unreadable(self) -> list[AudioFileError]:
        with ThreadPoolExecutor() as pool:
            reasons = dict(pool.map(_header_error, dict.fromkeys(self._paths)))
        return [
            AudioFileError(self.name(index), reason)
            for index, path in enumerate(self._paths)
            if (reason := reasons[path])
        ]

    def _segment(self, index: int) -> Segment:
        return self._segments[index] if self._segments else (0.0, None)


def _header_error(path: str | os.PathLike[str]) -> tuple[Any, str | None]:
    try:
        check_audio_file(path)
    except AudioFileError as error:
        return path, error.reason
    return path, None
