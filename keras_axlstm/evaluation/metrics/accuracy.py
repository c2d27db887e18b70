"""Accuracy of multi-class predictions."""

import numpy as np

from keras_axlstm.evaluation.metrics.checks import checked

SEMITONES = 12


def top1_acc(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Fraction of clips whose most probable class is the right one.

    Args:
        predictions: scores (n, classes); of equal scores the first class counts.
        targets: one class a clip, (n, classes) bool.

    Raises:
        ValueError: other shapes, or NaN.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.metrics import top1_acc

    top1_acc(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[1, 0], [0, 1]]))  # 0.5
    ```
    """
    predictions, targets = checked(predictions, targets)
    return float(np.mean(predictions.argmax(axis=1) == targets.argmax(axis=1)))


def chroma_acc(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Accuracy of pitch classes: an error of whole octaves is none.

    Args and errors as for `top1_acc`; classes are semitones in ascending order.
    """
    predictions, targets = checked(predictions, targets)
    distance = predictions.argmax(axis=1) - targets.argmax(axis=1)
    return float(np.mean(distance % SEMITONES == 0))
