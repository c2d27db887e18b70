import os
from pathlib import Path

AUDIO_SUFFIXES = (".flac", ".mp3", ".ogg", ".wav")


def find_audio_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The audio files in a folder and the folders below it.

    Files are found by their endings (.wav, .flac, .ogg, .mp3, in any case) and not opened. Hidden
    files and folders, whose names start with a dot, and links to folders are passed over.

    Args:
        folder: where to look.

    Returns:
        Paths that start with `folder`, sorted.

    Raises:
        ValueError: `folder` does not exist, is not a folder, or holds no audio file.

    Example:

    ```python
    from keras_axlstm.data import find_audio_files

    paths = find_audio_files("examples/audio")
    ```
    """
    root = Path(folder)
    if not root.is_dir():
        received = "a file" if root.exists() else "a path that does not exist"
        raise ValueError(f"Expected a folder of audio files. Received: {received}, {root}")
    paths = []
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(parent, name) for name in names if _is_audio(name)]
    if not paths:
        raise ValueError(
            f"Expected audio files ({', '.join(AUDIO_SUFFIXES)}) in {root} or the folders below "
            "it. Found none."
        )
    return sorted(paths)


def _is_audio(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES)
