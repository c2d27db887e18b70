"""What a family of tasks says about each of its tasks."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RATE = 16000
TRAIN_VALID_TEST = ("train", "valid", "test")
FOLDS = tuple(f"fold{fold:02d}" for fold in range(5))
_LEAST_OF_A_CLASS = 5
_SHARES = {"train": 0.6, "valid": 0.15, "test": 0.25}


@dataclass(frozen=True)
class PlannedClip:
    """A clip that is to be made.

    Args:
        number: of the clip in its task.
        split: where it goes.
        labels: what it will be labelled with.
        source: the voice, instrument or set of parameters it is made with.
    """

    number: int
    split: str
    labels: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Recipe:
    """A task.

    Args:
        name: of the task.
        column: of the task that it is modelled on in the paper's Table 2.
        labels: the vocabulary, in the order of the indices.
        splits: `TRAIN_VALID_TEST` or `FOLDS`.
        evaluation: scores, the primary one first.
        seconds: of a clip.
        clips: of the task, unless told otherwise.
        plan: from the number of clips and the seed to clips in batches, each of which is made in
            one process.
        render: from a batch and the seed to waveforms at `RATE`, one a clip.
        synthesizer: the program that `render` calls, if any.
        multilabel: a clip may have any number of labels.
    """

    name: str
    column: str
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    evaluation: tuple[str, ...]
    seconds: float
    clips: int
    plan: Callable[[int, int], list[list[PlannedClip]]]
    render: Callable[[list[PlannedClip], int], list[np.ndarray]]
    synthesizer: str = ""
    multilabel: bool = False

    @property
    def folder(self) -> str:
        return f"{self.name}-1.0-mini"

    @property
    def least_clips(self) -> int:
        """So many that each split has clips of each class of a multi-class task."""
        return _LEAST_OF_A_CLASS * (1 if self.multilabel else len(self.labels))


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Random numbers that depend on the seed and the keys alone, not on what was made before."""
    words = [key if isinstance(key, int) else zlib.crc32(key.encode()) for key in keys]
    return np.random.default_rng([seed, *words])


def split_of(index: int, count: int, splits: tuple[str, ...]) -> str:
    """The split of one of `count` clips of a class: folds in turn, or shares in order."""
    if splits == FOLDS:
        return FOLDS[index % len(FOLDS)]
    place = (index + 0.5) / count
    if place < _SHARES["train"]:
        return "train"
    return "valid" if place < _SHARES["train"] + _SHARES["valid"] else "test"


def plan_classes(
    clips: int,
    labels: tuple[str, ...],
    splits: tuple[str, ...],
    sources: Callable[[str, int], str],
    batch: int = 24,
) -> list[list[PlannedClip]]:
    """As many clips of each class as of the others.

    Args:
        clips: of the task, at least; rounded up to a multiple of the classes.
        labels: the classes.
        splits: of the task.
        sources: from a split and the number of a clip to the source of the clip.
        batch: clips made together.
    """
    each = -(-clips // len(labels))
    planned = []
    for index in range(each):
        for label in labels:
            number = len(planned)
            split = split_of(index, each, splits)
            planned.append(PlannedClip(number, split, (label,), sources(split, number)))
    return [planned[start : start + batch] for start in range(0, len(planned), batch)]
