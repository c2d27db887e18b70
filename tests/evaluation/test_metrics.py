"""The metrics against definitions worked out one pair, or one threshold, at a time."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_axlstm.evaluation.confidence import half_width, t_quantile
from keras_axlstm.evaluation.metrics import (
    METRICS,
    aucroc,
    chroma_acc,
    d_prime,
    mean_average_precision,
    top1_acc,
)

pytestmark = pytest.mark.any_backend


@st.composite
def predictions_and_targets(draw):
    """With many ties, and classes of no positives or no negatives."""
    shape = draw(st.tuples(st.integers(1, 25), st.integers(1, 4)))
    levels = draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 6)))
    return levels.astype(np.float32) / 6, draw(hnp.arrays(np.bool_, shape))


def average_precision_by_thresholds(scores, positives) -> float:
    total, recall = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= threshold
        hits = np.sum(chosen & positives)
        new = hits / positives.sum() if positives.any() else 0.0
        total += (new - recall) * hits / chosen.sum()
        recall = new
    return total


def area_by_pairs(scores, positives) -> float:
    above, below = scores[positives], scores[~positives]
    if not above.size or not below.size:
        return math.nan
    return float(np.mean([(p > n) + (p == n) / 2 for p in above for n in below]))


@given(predictions_and_targets())
def test_mean_average_precision(case):
    predictions, targets = case
    expected = [
        average_precision_by_thresholds(p, t) for p, t in zip(predictions.T, targets.T, strict=True)
    ]
    assert mean_average_precision(*case) == pytest.approx(np.mean(expected))


@given(predictions_and_targets())
def test_aucroc_and_d_prime(case):
    areas = [area_by_pairs(p, t) for p, t in zip(case[0].T, case[1].T, strict=True)]
    assert aucroc(*case) == pytest.approx(np.mean(areas), nan_ok=True)
    with np.errstate(invalid="ignore"):
        expected = np.mean(math.sqrt(2) * scipy.stats.norm.ppf(areas))
        assert d_prime(*case) == pytest.approx(expected, nan_ok=True)


def test_accuracies():
    targets = np.eye(26, dtype=bool)[[0, 1, 25, 13]]
    predictions = np.eye(26)[[0, 13, 1, 2]]
    assert top1_acc(predictions, targets) == 0.25
    assert METRICS["pitch_acc"](predictions, targets) == 0.25
    assert chroma_acc(predictions, targets) == 0.75


def test_of_equal_scores_the_first_class_counts():
    assert top1_acc(np.ones((2, 2)), np.array([[1, 0], [0, 1]])) == 0.5


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_bad_predictions_are_refused(metric):
    with pytest.raises(ValueError, match="NaN in the predictions of 1 of 2 clips"):
        metric(np.array([[0.5, np.nan], [0.1, 0.2]]), np.eye(2))
    with pytest.raises(ValueError, match="same shape"):
        metric(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="at least one"):
        metric(np.zeros((0, 2)), np.zeros((0, 2)))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 31, 100])
def test_t_quantile(freedom):
    assert t_quantile(freedom) == pytest.approx(scipy.stats.t.ppf(0.975, freedom), rel=1e-9)


def test_half_width():
    values = [1.0, 2.0, 4.0]
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    assert half_width(values) == pytest.approx((high - low) / 2)
    assert math.isnan(half_width([1.0]))
