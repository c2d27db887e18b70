import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from keras_axlstm.audio import AudioFileError, read_audio

Path = TypeVar("Path", bound=str | os.PathLike)

_THREADS = 4


def readable_files(
    paths: Sequence[Path], sampling_rate: int = 16000
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Decode files whole, to find those that would fail later. Nothing is kept of the audio.

    Args:
        paths: audio files.
        sampling_rate: as for `read_audio`.

    Returns:
        The files that can be read; pairs of path and reason of the others. Both in order.

    Example:

    ```python
    from keras_axlstm.data.readable_files import readable_files

    good, failures = readable_files(["examples/audio/melody.flac", "missing.wav"])
    failures[0][1]  # "it does not exist."
    ```
    """

    def problem(path: Path) -> str | None:
        try:
            read_audio(path, sampling_rate)
        except AudioFileError as error:
            return error.reason
        return None

    with ThreadPoolExecutor(_THREADS) as threads:
        reasons = list(threads.map(problem, paths))
    good = [path for path, reason in zip(paths, reasons, strict=True) if reason is None]
    failures = [(p, reason) for p, reason in zip(paths, reasons, strict=True) if reason is not None]
    return good, failures
