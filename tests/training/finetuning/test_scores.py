"""Scores of one part, by hand."""

import numpy as np
import pytest

from keras_axlstm.training.finetuning.scores import class_scores, label_scores


def test_one_class_a_clip():
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.7, 0.3, 0], [0.6, 0.3, 0.1]])
    found = class_scores(scores, np.array([0, 1, 1, 0]), ["a", "b", "c"])
    assert found["files"] == 4 and found["accuracy"] == 0.75
    assert found["confusion"] == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["per_class"] == {
        "a": {"files": 2, "accuracy": 1.0},
        "b": {"files": 2, "accuracy": 0.5},
        "c": {"files": 0, "accuracy": None},
    }


def test_several_classes_a_clip():
    scores = np.array([[0.9, 0.6], [0.8, 0.4], [0.1, 0.3]])
    found = label_scores(scores, np.array([[1, 0], [0, 0], [1, 0]]), ["a", "b"])
    # Precision 1 at the first of "a", 2/3 at the second.
    assert found["per_class"]["a"]["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["mean_average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["per_class"]["a"]["accuracy"] == pytest.approx(1 / 3)
    assert found["per_class"]["b"] == {
        "files": 0,
        "accuracy": pytest.approx(2 / 3),
        "average_precision": None,
    }
