import os
from collections.abc import Sequence
from pathlib import Path

from keras_axlstm.evaluation.tasks.metadata import METADATA_FILE, VOCABULARY_FILE, Problems
from keras_axlstm.evaluation.tasks.read_task import read_task
from keras_axlstm.evaluation.tasks.split_files import SAMPLING_RATE
from keras_axlstm.evaluation.tasks.task import Task
from keras_axlstm.evaluation.tasks.task_error import TaskError


def read_tasks(tasks_dir: str | os.PathLike[str], names: Sequence[str] | None = None) -> list[Task]:
    """Read the task folders in a folder, and check all of them.

    Args:
        tasks_dir: a folder of task folders, each as `read_task` takes it. Hidden folders, and
            folders without any file of a task, are passed over.
        names: which ones, in this order: names of folders (`"esc50-v2.0.0-full"`) or their
            beginnings up to a hyphen (`"esc50"`). By default all, sorted.

    Returns:
        The tasks.

    Raises:
        TaskError: lists everything that is wrong with any of them, each with the file and the
            reason. It is a `ValueError`.
        ValueError: no tasks there, or a name that fits no folder or several.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks import read_tasks

    tasks = read_tasks("tasks", ["esc50", "fsd50k"])
    ```
    """
    root = Path(tasks_dir)
    folders = _choose(_find(root), names, root)
    tasks = []
    problems: Problems = []
    for folder in folders:
        try:
            tasks.append(read_task(folder))
        except TaskError as error:
            problems += error.problems
    if problems:
        raise TaskError(problems)
    return tasks


def _find(root: Path) -> dict[str, Path]:
    """Task folders by name."""
    if not root.is_dir():
        received = "a file" if root.exists() else "a path that does not exist"
        raise ValueError(f"Expected a folder of task folders. Received: {received}, {root}")
    if _is_task(root):
        raise ValueError(
            f"Expected a folder of task folders. Received: a task folder, {root}. Give the folder "
            "that it is in."
        )
    found = {
        path.name: path
        for path in sorted(root.iterdir())
        if not path.name.startswith(".") and path.is_dir() and _is_task(path)
    }
    if not found:
        raise ValueError(
            f"Expected task folders in {root}, each with {METADATA_FILE} and {VOCABULARY_FILE}. "
            "Found none."
        )
    return found


def _is_task(folder: Path) -> bool:
    """True also of a task that lacks some of its files, so that this is said of it."""
    files = (METADATA_FILE, VOCABULARY_FILE, str(SAMPLING_RATE))
    return any((folder / file).exists() for file in files)


def _choose(found: dict[str, Path], names: Sequence[str] | None, root: Path) -> list[Path]:
    if names is None:
        return list(found.values())
    chosen = []
    for name in names:
        fitting = [name] if name in found else [key for key in found if key.startswith(f"{name}-")]
        if len(fitting) != 1:
            raise ValueError(
                f"Expected the name of one task in {root}. Received: {name!r}, which fits "
                f"{', '.join(fitting) if fitting else 'none of ' + ', '.join(found)}."
            )
        chosen.append(found[fitting[0]])
    return list(dict.fromkeys(chosen))
