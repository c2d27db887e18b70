"""How good the scores of a classifier are on one part of the data."""

from typing import Any

import numpy as np

from keras_axlstm.evaluation.metrics import mean_average_precision, top1_acc

# A class is taken as present from this score on.
_PRESENT = 0.5


def class_scores(scores: np.ndarray, targets: np.ndarray, class_names: list[str]) -> dict[str, Any]:
    """Accuracy over all, and of each class, for clips of one class.

    Args:
        scores: `(clips, classes)`.
        targets: which class a clip has, int `(clips,)`.
        class_names: one a class.

    Returns:
        `accuracy`, in [0, 1]; `per_class`, for each class its number of `files` and its `accuracy`,
        the part of them that is recognised, None without files; `confusion`, rows of counts
        `(classes, classes)`, true classes down, predicted ones across.
    """
    count = len(class_names)
    confusion = np.zeros((count, count), int)
    np.add.at(confusion, (targets, scores.argmax(axis=1)), 1)
    files = confusion.sum(axis=1)
    return {
        "files": len(targets),
        "accuracy": top1_acc(scores, np.eye(count, dtype=bool)[targets]),
        "per_class": {
            name: {"files": int(files[i]), "accuracy": _ratio(confusion[i, i], files[i])}
            for i, name in enumerate(class_names)
        },
        "confusion": confusion.tolist(),
    }


def label_scores(scores: np.ndarray, targets: np.ndarray, class_names: list[str]) -> dict[str, Any]:
    """Average precision and accuracy of each class, for clips of several classes or none.

    Args:
        scores: `(clips, classes)`, from 0 to 1.
        targets: which classes a clip has, 0 or 1 `(clips, classes)`.
        class_names: one a class.

    Returns:
        `mean_average_precision` over the classes that have files; `per_class`, for each class its
        number of `files`, its `accuracy`, the part of all clips of which a score of 0.5 says
        rightly whether they have it, and its `average_precision`, None without files.
    """
    targets = targets.astype(bool)
    files = targets.sum(axis=0)
    right = ((scores >= _PRESENT) == targets).mean(axis=0)
    precisions = {
        i: mean_average_precision(scores[:, i : i + 1], targets[:, i : i + 1])
        for i in range(len(class_names))
        if files[i]
    }
    return {
        "files": len(targets),
        "mean_average_precision": _ratio(sum(precisions.values()), len(precisions)),
        "per_class": {
            name: {
                "files": int(files[i]),
                "accuracy": float(right[i]),
                "average_precision": precisions.get(i),
            }
            for i, name in enumerate(class_names)
        },
    }


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
