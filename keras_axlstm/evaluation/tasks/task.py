from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from keras_axlstm.evaluation.tasks.clip import Clip


@dataclass(frozen=True)
class Task:
    """A downstream task, as `read_task` gives it.

    Args:
        name: such as `"esc50"`.
        version: such as `"v2.0.0"`.
        mode: which selection of the data set, such as `"full"` or `"5h"`.
        folder: where it was read.
        embedding_type: one embedding a clip (`"scene"`), or one a moment (`"event"`).
        prediction_type: one label a clip or moment, or any number.
        split_mode: splits `train`, `valid` and `test`, or folds that take turns.
        sample_duration: length of every clip in seconds; None if the lengths differ.
        evaluation: names of the scores; the first is the primary one.
        labels: the vocabulary, in the order of its indices.
        splits: the clips of each split, in the order of the metadata and of the split's file.
        event_postprocessing_grid: of an event task that brings its own: values to choose from for
            `"median_filter_ms"`, `"min_duration"` (in milliseconds) and `"threshold"`. Otherwise
            empty.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks import read_task

    task = read_task("tasks/esc50-v2.0.0-full")
    len(task.labels), list(task.splits)
    ```
    """

    name: str
    version: str
    mode: str
    folder: Path
    embedding_type: Literal["scene", "event"]
    prediction_type: Literal["multiclass", "multilabel"]
    split_mode: Literal["trainvaltest", "new_split_kfold", "presplit_kfold"]
    sample_duration: float | None
    evaluation: tuple[str, ...]
    labels: tuple[str, ...]
    splits: dict[str, tuple[Clip, ...]]
    event_postprocessing_grid: dict[str, tuple[float, ...]] = field(default_factory=dict)
