import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_axlstm.evaluation.tasks.metadata import METADATA_FILE
from keras_axlstm.evaluation.tasks.prepare.source_entry import (
    ARCHIVE_SUFFIXES,
    SOURCE_RATE,
    is_archive,
)

# As the archives are published: hear2021-esc50-v2.0.0-full-48000.tar.gz
_ARCHIVE_OF_ONE_TASK = re.compile(rf"hear[\w.]*?-(?P<task>.+-.+-.+)-{SOURCE_RATE}\.(tar|tgz)")


@dataclass(frozen=True)
class Source:
    """An archive or a task folder.

    Args:
        path: where it is.
        task: name of the folder of the task in it; empty if only reading the archive tells.
    """

    path: Path
    task: str


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Archives and task folders at 48 kHz: those given, and those in the folders given.

    Raises:
        ValueError: a path that is neither an archive nor a folder, or in which there is none, or
            two sources of one task.
    """
    found: list[Source] = []
    for path in paths:
        if path.is_file() and not is_archive(path):
            raise ValueError(
                f"Expected an archive ({', '.join(ARCHIVE_SUFFIXES)}) or a folder. Received: {path}"
            )
        if not path.exists():
            raise ValueError(
                f"Expected an archive or a folder. Received: a path that does not exist, {path}"
            )
        inside = [_archive(path)] if path.is_file() else _inside(path)
        if not inside:
            raise ValueError(
                f"Expected archives of tasks ({', '.join(ARCHIVE_SUFFIXES)}) or task folders with "
                f"audio at {SOURCE_RATE} Hz, in folders named {SOURCE_RATE}, in {path} or the "
                "folders below it. Found none."
            )
        found += inside
    found = list({source.path.resolve(): source for source in found}.values())
    first: dict[str, Path] = {}
    for source in found:
        if source.task and first.setdefault(source.task, source.path) != source.path:
            raise ValueError(
                f"Expected one source of each task. Received: two of {source.task}, "
                f"{first[source.task]} and {source.path}"
            )
    return found


def _inside(folder: Path) -> list[Source]:
    if (folder / str(SOURCE_RATE)).is_dir():
        return [Source(folder, folder.resolve().name)]
    if (folder / METADATA_FILE).is_file():
        # A task at other rates.
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and is_archive(path):
            found.append(_archive(path))
        elif path.is_dir() and not path.is_symlink():
            found += _inside(path)
    return found


def _archive(path: Path) -> Source:
    match = _ARCHIVE_OF_ONE_TASK.match(path.name)
    return Source(path, match["task"] if match else "")
