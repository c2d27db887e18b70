import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from keras_axlstm.audio import AudioFileError, check_audio_file
from keras_axlstm.data.unreadable_files import UnreadableFiles

Path = str | os.PathLike[str]


def readable_files(paths: Sequence[Path], unreadable: UnreadableFiles) -> list[Path]:
    """The files whose headers can be read and promise samples; the others go to `unreadable`.

    Raises:
        ValueError: none can be read.
    """
    with ThreadPoolExecutor() as pool:
        errors = list(pool.map(_header_error, paths))
    unreadable.add([error for error in errors if error is not None])
    return [path for path, error in zip(paths, errors, strict=True) if error is None]


def _header_error(path: Path) -> AudioFileError | None:
    try:
        check_audio_file(path)
    except AudioFileError as error:
        return error
    return None
