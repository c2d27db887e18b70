"""The files of task folders in an archive or on disk, one after the other."""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

SOURCE_RATE = 48000
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
# Of a file beside the audio: far more than the labels of any task, far less than memory holds.
_LARGEST_METADATA = 2**28
_LARGEST_AUDIO = 2**31


@dataclass(frozen=True)
class SourceEntry:
    """A file of a task.

    Args:
        task: name of the task's folder.
        split: of an audio file; empty for the files beside the audio.
        name: of the file.
        content: all of an archived file, or where the file lies.
    """

    task: str
    split: str
    name: str
    content: bytes | Path

    def read(self) -> bytes:
        """All of the file."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def is_archive(path: Path) -> bool:
    """True for the names of archives that can be read."""
    return path.name.endswith(ARCHIVE_SUFFIXES)


def archive_entries(archive: Path) -> Iterator[SourceEntry]:
    """The files of the tasks in an archive, which is read once from beginning to end.

    Nothing is extracted: the names in the archive only tell the task, the split and the file.

    Raises:
        ValueError: the archive is damaged, or has links, device files or names that lead out of it.
    """
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                parts = _safe_parts(archive, member)
                if member.isdir():
                    continue
                place = _place(parts)
                if place is None:
                    continue
                largest = _LARGEST_AUDIO if place[1] else _LARGEST_METADATA
                file = tar.extractfile(member)
                if file is None or member.size > largest:
                    raise ValueError(f"{archive}: {member.name} has {member.size} bytes: too many.")
                yield SourceEntry(*place, _read(file))
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            f"{archive} is damaged, or not a tar archive: {error}. Download it again."
        ) from error


def folder_entries(task_folder: Path) -> Iterator[SourceEntry]:
    """The files of a task folder.

    Raises:
        ValueError: a file is a link, which may lead anywhere.
    """
    name = task_folder.resolve().name
    audio = task_folder / str(SOURCE_RATE)
    splits = sorted(path for path in audio.iterdir() if path.is_dir())
    for folder, split in [(task_folder, ""), *((path, path.name) for path in splits)]:
        for path in sorted(folder.iterdir()):
            if path.is_file() and _place(
                (name, str(SOURCE_RATE), split, path.name) if split else (name, path.name)
            ):
                if path.is_symlink():
                    raise ValueError(f"{path} is a link. Put the file itself there.")
                yield SourceEntry(name, split, path.name, path)


def _safe_parts(archive: Path, member: tarfile.TarInfo) -> tuple[str, ...]:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ValueError(f"{archive}: the name {member.name!r} leads out of the archive.")
    if not (member.isreg() or member.isdir()):
        raise ValueError(f"{archive}: {member.name!r} is a link or a device, not a file.")
    return path.parts


def _place(parts: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Task, split and name of a file, from the last parts of its path; None if it is no task's."""
    if any(part.startswith(".") for part in parts[1:]):
        return None
    if str(SOURCE_RATE) in parts:
        rate = parts.index(str(SOURCE_RATE))
        below = parts[rate + 1 :]
        if rate == 0 or len(below) != 2 or not below[1].endswith(".wav"):
            return None
        return parts[rate - 1], below[0], below[1]
    # Audio at other rates is passed over.
    if len(parts) < 2 or os.path.splitext(parts[-1])[1] == ".wav":
        return None
    return parts[-2], "", parts[-1]


def _read(file: IO[bytes]) -> bytes:
    with file:
        return file.read()
