"""What every metric expects of its arguments."""

import numpy as np


def checked(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two arrays, the targets as bool; ValueError if they do not fit each other."""
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    if predictions.ndim != 2 or predictions.shape != targets.shape or not predictions.size:
        raise ValueError(
            "Expected predictions and targets of the same shape (clips, classes), at least one "
            f"of each, received {predictions.shape} and {targets.shape}."
        )
    bad = int(np.isnan(predictions).any(axis=1).sum())
    if bad:
        raise ValueError(
            f"Expected numbers, received NaN in the predictions of {bad} of {len(predictions)} "
            "clips: the model diverged. Lower its learning rate."
        )
    return predictions, targets.astype(bool)
