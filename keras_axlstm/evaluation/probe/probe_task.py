"""What a probe is trained on."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from keras_axlstm.evaluation.metrics import METRICS
from keras_axlstm.evaluation.probe.probe_split import ProbeSplit

PREDICTION_TYPES = ("multiclass", "multilabel")
KFOLD_MODES = ("new_split_kfold", "presplit_kfold")
SPLIT_MODES = ("trainvaltest", *KFOLD_MODES)
SPLITS = ("train", "valid", "test")
LEAST_FOLDS = 3


@dataclasses.dataclass(frozen=True)
class ProbeTask:
    """A task of embeddings and labels.

    Attributes:
        name: goes into results and errors.
        prediction_type: "multiclass" (one label a clip) or "multilabel".
        split_mode: "trainvaltest", "new_split_kfold" or "presplit_kfold".
        evaluation: names of metrics; the first chooses models and is the score of the task.
        labels: the vocabulary, in the order of the columns of `targets`.
        splits: `train`, `valid` and `test`, or three folds or more.

    Raises:
        ValueError: anything else, with the task and what to mend.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.probe import ProbeSplit, ProbeTask

    def split(n):
        return ProbeSplit(np.random.randn(n, 8), np.eye(2, dtype=bool)[np.arange(n) % 2])

    splits = {"train": split(50), "valid": split(20), "test": split(20)}
    task = ProbeTask("toy", "multiclass", "trainvaltest", ("top1_acc",), ("a", "b"), splits)
    ```
    """

    name: str
    prediction_type: str
    split_mode: str
    evaluation: Sequence[str]
    labels: Sequence[str]
    splits: Mapping[str, ProbeSplit]

    known_scores: ClassVar[tuple[str, ...]] = tuple(METRICS)

    def __post_init__(self) -> None:
        problems = [*self._setting_problems(), *self._split_problems()]
        if problems:
            raise ValueError(f"Task {self.name}: " + " ".join(problems))

    @property
    def multilabel(self) -> bool:
        """Whether a clip has any number of labels."""
        return self.prediction_type == "multilabel"

    @property
    def features(self) -> int:
        """Numbers of an embedding."""
        return next(iter(self.splits.values())).embeddings.shape[1]

    def folds(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Test, validation and training splits of every training: test i, validation i + 1."""
        if self.split_mode not in KFOLD_MODES:
            return [("test", "valid", ("train",))]
        names = sorted(self.splits)
        folds = []
        for i, test in enumerate(names):
            valid = names[(i + 1) % len(names)]
            folds.append((test, valid, tuple(n for n in names if n not in (test, valid))))
        return folds

    def contents(self) -> Iterator[bytes]:
        """Embeddings and targets, and what else a task has, for a hash."""
        for name, split in sorted(self.splits.items()):
            yield json.dumps([name, split.embeddings.shape, split.targets.shape]).encode()
            yield from split.contents()

    def validation_score(self, valid: str, predictions: np.ndarray) -> float:
        """The primary score of predictions (n, classes) for a validation split; more is better."""
        return METRICS[self.evaluation[0]](predictions, self.splits[valid].targets)

    def tested(
        self, test: str, valid: str, predict: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Score a trained model.

        Args:
            test: name of its test split.
            valid: name of its validation split.
            predict: gives the model's predictions (n, classes) for embeddings (n, d).

        Returns:
            Test score by name, and what was chosen on the validation split for the test.
        """
        split = self.splits[test]
        predictions = predict(split.embeddings)
        return {name: METRICS[name](predictions, split.targets) for name in self.evaluation}, {}

    def _setting_problems(self) -> list[str]:
        problems = []
        if self.prediction_type not in PREDICTION_TYPES:
            problems.append(
                f"Expected a prediction_type of {PREDICTION_TYPES}, received "
                f"{self.prediction_type!r}."
            )
        if self.split_mode not in SPLIT_MODES:
            problems.append(
                f"Expected a split_mode of {SPLIT_MODES}, received {self.split_mode!r}."
            )
        unknown = [name for name in self.evaluation if name not in self.known_scores]
        if unknown or not self.evaluation:
            problems.append(
                f"Expected evaluation scores of {self.known_scores}, received "
                f"{tuple(unknown) or 'none'}."
            )
        return problems

    def _split_problems(self) -> list[str]:
        problems = []
        names = tuple(self.splits)
        if self.split_mode in KFOLD_MODES and len(names) < LEAST_FOLDS:
            problems.append(f"Expected {LEAST_FOLDS} folds or more, received {names}.")
        if self.split_mode == "trainvaltest" and sorted(names) != sorted(SPLITS):
            problems.append(f"Expected the splits {SPLITS}, received {names}.")
        widths = {split.embeddings.shape[1] for split in self.splits.values()}
        if len(widths) > 1:
            problems.append(f"Expected embeddings of one width, received {sorted(widths)}.")
        for name, split in self.splits.items():
            classes = split.targets.shape[1]
            if classes != len(self.labels):
                problems.append(
                    f"Expected a column of targets for each of the {len(self.labels)} labels, "
                    f"received {classes} in split {name}."
                )
            bad = int((split.targets.sum(axis=1) != 1).sum())
            if bad and self.prediction_type == "multiclass":
                problems.append(
                    f"Expected one label a clip, received {bad} clips in split {name} with "
                    "none or several."
                )
        train = [n for n in names if n not in ("valid", "test")]
        if sum(len(self.splits[n].targets) for n in train) < 2:
            problems.append("Expected two training clips at least.")
        return problems
