"""Small tasks for the tests of the probe."""

import numpy as np

from keras_axlstm.evaluation.probe import ProbeSplit, ProbeTask

CLASSES, WIDTH = 4, 12
LABELS = ("a", "b", "c", "d")


def make_split(count: int, seed: int, multilabel: bool = False) -> ProbeSplit:
    centres = np.random.default_rng(0).normal(size=(CLASSES, WIDTH))
    rng = np.random.default_rng((1, seed))
    if multilabel:
        targets = rng.random((count, CLASSES)) < 0.4
        targets[:CLASSES] |= np.eye(CLASSES, dtype=bool)
    else:
        targets = np.eye(CLASSES, dtype=bool)[rng.integers(CLASSES, size=count)]
    return ProbeSplit(targets @ centres + rng.normal(size=(count, WIDTH)), targets)


def make_task(multilabel: bool = False) -> ProbeTask:
    counts = {"train": 90, "valid": 40, "test": 60}
    return ProbeTask(
        "toy",
        "multilabel" if multilabel else "multiclass",
        "trainvaltest",
        ("mAP", "aucroc") if multilabel else ("top1_acc", "mAP"),
        LABELS,
        {name: make_split(n, i, multilabel) for i, (name, n) in enumerate(counts.items())},
    )


def make_kfold_task() -> ProbeTask:
    splits = {f"fold{i:02d}": make_split(40, i) for i in (2, 0, 1, 3)}
    return ProbeTask("folds", "multiclass", "presplit_kfold", ("top1_acc",), LABELS, splits)
