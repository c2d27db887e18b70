"""How well the scores of each class rank its clips; averages over classes."""

import math
import statistics

import numpy as np

from keras_axlstm.evaluation.metrics.checks import checked


def mean_average_precision(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Average precision of a class, sum_k (recall_k - recall_(k-1)) precision_k over its distinct
    scores in falling order; mean over classes.

    Args:
        predictions: scores (n, classes).
        targets: which classes a clip has, (n, classes) bool.

    Returns:
        The mean over all classes. A class without positives counts as 0, as in scikit-learn.

    Raises:
        ValueError: other shapes, or NaN.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.metrics import mean_average_precision

    mean_average_precision(np.array([[0.9], [0.8], [0.1]]), np.array([[1], [0], [1]]))  # 5 / 6
    ```
    """
    predictions, targets = checked(predictions, targets)
    order = np.argsort(-predictions, axis=0, kind="stable")
    hits = np.take_along_axis(targets, order, axis=0)
    _, last = _ties(np.take_along_axis(predictions, order, axis=0))
    found = np.cumsum(hits, axis=0)
    precision = np.take_along_axis(found, last, axis=0) / (last + 1)
    average = np.sum(precision * hits, axis=0) / np.maximum(found[-1], 1)
    return float(average.mean())


def aucroc(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Area under the ROC curve of a class, ties half counted; mean over classes.

    Args and errors as for `mean_average_precision`.

    Returns:
        NaN if a class has only positives or only negatives: its area is undefined.
    """
    return float(_areas(predictions, targets).mean())


def d_prime(predictions: np.ndarray, targets: np.ndarray) -> float:
    """sqrt(2) times the normal quantile of the area under the ROC curve; mean over classes.

    Args and errors as for `mean_average_precision`.

    Returns:
        NaN as for `aucroc`; infinity if a class is ranked without an error.
    """
    return float(
        np.mean([math.sqrt(2.0) * _quantile(area) for area in _areas(predictions, targets)])
    )


def _areas(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    predictions, targets = checked(predictions, targets)
    order = np.argsort(predictions, axis=0, kind="stable")
    hits = np.take_along_axis(targets, order, axis=0)
    first, last = _ties(np.take_along_axis(predictions, order, axis=0))
    positives = hits.sum(axis=0)
    negatives = len(hits) - positives
    below = np.sum((first + last) / 2 * hits, axis=0) - positives * (positives - 1) / 2
    pairs = positives * negatives
    return np.where(pairs > 0, below / np.maximum(pairs, 1), np.nan)


def _ties(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last row of the run of equal values that each element is in, by column."""
    rows = np.arange(len(ordered))[:, None]
    new = np.ones(ordered.shape, bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(new, rows, 0), axis=0)
    ends = np.ones(ordered.shape, bool)
    ends[:-1] = new[1:]
    last = np.where(ends, rows, len(ordered))
    return first, np.minimum.accumulate(last[::-1], axis=0)[::-1]


def _quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    if 0.0 < probability < 1.0:
        return statistics.NormalDist().inv_cdf(probability)
    return {0.0: -math.inf, 1.0: math.inf}.get(float(probability), math.nan)
