"""The 95 % interval of a mean."""

import math
import statistics
from collections.abc import Sequence

CONFIDENCE = 0.95


def half_width(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean of `values`, by Student's t.

    NaN for a single value, which says nothing about its spread.

    Example:

    ```python
    from keras_axlstm.evaluation.confidence import half_width

    half_width([70.1, 70.5, 69.8])  # 0.87
    ```
    """
    if len(values) < 2:
        return math.nan
    error = statistics.stdev(values) / math.sqrt(len(values))
    return t_quantile(len(values) - 1) * error


def t_quantile(freedom: int) -> float:
    """t with P(-t < T < t) = 0.95 for Student's T of `freedom` degrees of freedom."""
    low, high = 0.0, 2.0
    while _within(high, freedom) < CONFIDENCE:
        high *= 2.0
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < CONFIDENCE else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """P(-t < T < t), the finite series for whole degrees of freedom (Abramowitz, Stegun 26.7)."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term, total = (math.cos(angle) if odd else 1.0), 0.0
    for k in range(odd + 1, freedom, 2):
        total += term
        term *= k / (k + 1) * math.cos(angle) ** 2
    total *= math.sin(angle)
    return 2.0 / math.pi * (angle + total) if odd else total
