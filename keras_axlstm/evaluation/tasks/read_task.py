import filecmp
import os
from pathlib import Path

from keras_axlstm.evaluation.tasks.clip import Clip
from keras_axlstm.evaluation.tasks.metadata import Problems, read_metadata, read_vocabulary
from keras_axlstm.evaluation.tasks.split_files import read_split
from keras_axlstm.evaluation.tasks.task import Task
from keras_axlstm.evaluation.tasks.task_error import TaskError


def read_task(folder: str | os.PathLike[str]) -> Task:
    """Read a task folder in the format of HEAR 2021, and check all of it.

    The folder has `task_metadata.json`, `labelvocabulary.csv`, and for each split `{split}.json`
    and mono wav files at 16 kHz in `16000/{split}/`. Of the audio only the headers are read.

    Args:
        folder: the folder of one task.

    Returns:
        The task.

    Raises:
        TaskError: lists everything that is wrong with the folder, each with the file and the
            reason. It is a `ValueError`.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks import TaskError, read_task

    try:
        task = read_task("tasks/esc50-v2.0.0-full")
    except TaskError as error:
        print(len(error.problems))
    ```
    """
    root = Path(folder)
    if not root.is_dir():
        reason = "it is not a folder" if root.exists() else "it does not exist"
        raise TaskError([(root, reason)])
    problems: Problems = []
    metadata = read_metadata(root, problems)
    vocabulary = read_vocabulary(root, problems)
    if metadata is None:
        # Without it the splits are not known.
        raise TaskError(problems)
    known = None if vocabulary is None else frozenset(vocabulary)
    splits = {
        split: read_split(root, split, metadata, known, problems) for split in metadata.splits
    }
    _check_apart(splits, problems)
    if problems or vocabulary is None:
        raise TaskError(problems)
    return Task(
        metadata.name,
        metadata.version,
        metadata.mode,
        root,
        metadata.embedding_type,
        metadata.prediction_type,
        metadata.split_mode,
        metadata.sample_duration,
        metadata.evaluation,
        vocabulary,
        splits,
        metadata.event_postprocessing_grid,
    )


def _check_apart(splits: dict[str, tuple[Clip, ...]], problems: Problems) -> None:
    """A clip in two splits is known before the test. Files of one name may be different clips."""
    first: dict[str, tuple[str, Path]] = {}
    for split, clips in splits.items():
        for clip in clips:
            other, path = first.setdefault(clip.path.name, (split, clip.path))
            if other != split and _same_content(path, clip.path):
                problems.append((clip.path, f"the same clip is in the split {other}"))


def _same_content(first: Path, second: Path) -> bool:
    try:
        return filecmp.cmp(first, second, shallow=False)
    except OSError:
        return False
