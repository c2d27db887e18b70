import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keras_axlstm.evaluation.tasks.metadata import METADATA_FILE, Problems
from keras_axlstm.evaluation.tasks.prepare.clip_converter import ClipConverter
from keras_axlstm.evaluation.tasks.prepare.find_sources import Source, find_sources
from keras_axlstm.evaluation.tasks.prepare.source_entry import (
    SourceEntry,
    archive_entries,
    folder_entries,
)
from keras_axlstm.evaluation.tasks.read_task import read_task
from keras_axlstm.evaluation.tasks.split_files import SAMPLING_RATE
from keras_axlstm.evaluation.tasks.task_error import TaskError
from keras_axlstm.files import replace_output
from keras_axlstm.processes import map_in_processes

WORK_FOLDER = ".preparing"
_SOURCE_SUFFIX = ".source"


@dataclass
class PreparedTasks:
    """What `prepare_tasks` made.

    Args:
        made: the new task folders.
        kept: task folders that were there already and are as they were.
        clips: audio files converted, without those of an interrupted run.
    """

    made: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    clips: int = 0


def prepare_tasks(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    processes: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> PreparedTasks:
    """Convert HEAR 2021 tasks at 48 kHz to folders at 16 kHz, for `read_tasks`.

    Audio is resampled with soxr in its "HQ" quality and keeps its sample format; the other files
    of a task are copied as they are. Archives are read once from beginning to end and need no
    room beside the output.

    A task is made in `.preparing` in `target` and takes its place when it is complete and
    `read_task` finds nothing wrong with it. After an interruption the same call goes on: finished
    tasks are kept, and finished clips of the others are not made again.

    Args:
        sources: archives as they are published (`hear2021-esc50-v2.0.0-full-48000.tar.gz`), task
            folders, or folders with archives or task folders anywhere below.
        target: the folder for the task folders.
        names: which tasks: names of folders (`"esc50-v2.0.0-full"`) or their beginnings up to a
            hyphen (`"esc50"`). By default all.
        processes: processes that work at the same time. A script that uses more than one needs the
            usual `if __name__ == "__main__":`.
        overwrite: make tasks again that are in `target`.
        progress: show a bar.

    Returns:
        What was made.

    Raises:
        TaskError: lists the audio that cannot be converted and what else is wrong with the tasks.
            All other tasks are finished. It is a `ValueError`.
        ValueError: a bad argument, nothing to convert, or an archive that is damaged or unsafe.
        FileExistsError: something else is in `target` under the name of a task.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks.prepare import prepare_tasks

    prepare_tasks("downloads", "tasks", names=["esc50"], processes=4)
    ```
    """
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        raise ValueError(f"`processes` must be an integer of at least 1. Received: {processes!r}")
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    job = _Job(Path(target), names, processes, overwrite, progress)
    found = find_sources([Path(path) for path in given])
    chosen = [source for source in found if not source.task or job.wanted(source.task)]
    if all(source.task for source in found):
        _check_names(names, [source.task for source in found])
    for source in chosen:
        if source.task:
            job.check_target(source.task)
    job.begin()
    for source in chosen:
        job.convert(source)
    _check_names(names, [path.name for path in job.done.made + job.done.kept] + job.failed)
    if job.problems:
        raise TaskError(job.problems)
    # Empty now, unless the leftovers of another interrupted run are in it.
    if not any(job.work.iterdir()):
        job.work.rmdir()
    return job.done


def _fits(task: str, name: str) -> bool:
    return task == name or task.startswith(f"{name}-")


def _check_names(names: Sequence[str] | None, tasks: Sequence[str]) -> None:
    unknown = [name for name in names or () if not any(_fits(task, name) for task in tasks)]
    if unknown:
        raise ValueError(
            f"Expected names of tasks in the sources. Received: {', '.join(unknown)}, but they "
            f"hold {', '.join(sorted(tasks)) or 'none of these'}."
        )


class _Job:
    """What has been done of a call of `prepare_tasks`, whose arguments it takes."""

    def __init__(
        self,
        target: Path,
        names: Sequence[str] | None,
        processes: int,
        overwrite: bool,
        progress: bool,
    ) -> None:
        self.target = target
        self.work = target / WORK_FOLDER
        self.names = names
        self.processes = processes
        self.overwrite = overwrite
        self.progress = progress
        self.done = PreparedTasks()
        self.failed: list[str] = []
        self.problems: Problems = []

    def wanted(self, task: str) -> bool:
        return self.names is None or any(_fits(task, name) for name in self.names)

    def check_target(self, task: str) -> bool:
        """True if the task is there; raises if something else is."""
        place = self.target / task
        if not place.exists():
            return False
        if not (place / METADATA_FILE).is_file() or not (place / str(SAMPLING_RATE)).is_dir():
            raise FileExistsError(
                f"{place} exists and is no task at {SAMPLING_RATE} Hz. Choose another folder for "
                "the tasks, or move it."
            )
        return True

    def begin(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        entries = {path.name for path in self.work.iterdir()}
        others = [
            name
            for name in sorted(entries)
            if not name.endswith(_SOURCE_SUFFIX) and f"{name}{_SOURCE_SUFFIX}" not in entries
        ]
        if others:
            raise FileExistsError(
                f"{self.work} is needed for the work but holds other files: "
                f"{', '.join(others[:5])}. Move it."
            )

    def convert(self, source: Source) -> None:
        """Convert all tasks of a source, and put those that are complete in their places."""
        from tqdm import tqdm

        if source.task and self._keep(source.task):
            return
        tasks: dict[str, bool] = {}
        damaged: dict[str, Problems] = {}
        results = map_in_processes(
            ClipConverter(self.work),
            self._audio(source, tasks),
            self.processes,
            preload=ClipConverter.__module__,
        )
        for path, problem in tqdm(
            results, desc=source.path.name, unit="clip", disable=not self.progress
        ):
            if problem:
                where = path.relative_to(self.work)
                damaged.setdefault(where.parts[0], []).append(
                    (path, f"in {source.path}: {problem}")
                )
            else:
                self.done.clips += 1
        begun = [task for task, taken in tasks.items() if taken]
        if not tasks:
            raise ValueError(f"Expected a task at 48000 Hz in {source.path}. Found none.")
        for task in begun:
            self._finish(task, damaged.get(task, []))

    def _keep(self, task: str) -> bool:
        """True, and the task is listed as kept, if it is there and shall not be made again."""
        if not self.check_target(task) or self.overwrite:
            return False
        if self.target / task not in self.done.kept:
            self.done.kept.append(self.target / task)
        return True

    def _audio(self, source: Source, tasks: dict[str, bool]) -> Iterator[SourceEntry]:
        """The clips that are not converted yet; `tasks` tells which tasks are worked on.

        Files beside the audio are written when it is known that they are a task's.
        """
        entries = archive_entries if source.path.is_file() else folder_entries
        target = ClipConverter(self.work).target
        beside: list[SourceEntry] = []
        for entry in entries(source.path):
            if not entry.split:
                beside.append(entry)
                continue
            if entry.task not in tasks:
                tasks[entry.task] = self._take(entry.task, source)
            if tasks[entry.task] and not target(entry).exists():
                yield entry
        for entry in beside:
            if tasks.get(entry.task):
                (self.work / entry.task / entry.name).write_bytes(entry.read())

    def _take(self, task: str, source: Source) -> bool:
        """True if a task is to be worked on; what another source left of it is removed."""
        if not self.wanted(task) or self._keep(task):
            return False
        if any(path.name == task for path in self.done.made):
            raise ValueError(f"{source.path} holds {task}, which another source had too.")
        state = source.path.stat()
        fingerprint = f"{source.path.resolve()} {state.st_size} {state.st_mtime_ns}\n"
        marker = self.work / f"{task}{_SOURCE_SUFFIX}"
        if not marker.exists() or marker.read_text(encoding="utf-8") != fingerprint:
            if (self.work / task).exists():
                shutil.rmtree(self.work / task)
            marker.write_text(fingerprint, encoding="utf-8")
        (self.work / task).mkdir(exist_ok=True)
        return True

    def _finish(self, task: str, damaged: Problems) -> None:
        """Put a task in its place, or note what is wrong with it."""
        problems = damaged
        try:
            read_task(self.work / task)
        except TaskError as error:
            named = {path for path, _ in damaged}
            problems = damaged + [item for item in error.problems if item[0] not in named]
        if problems:
            self.failed.append(task)
            self.problems += problems
            return
        for leftover in (self.work / task).rglob(".unfinished-*"):
            leftover.unlink()
        replace_output(self.target / task, self.work / task)
        (self.work / f"{task}{_SOURCE_SUFFIX}").unlink()
        self.done.made.append(self.target / task)
