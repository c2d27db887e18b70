"""Whole probes: choice, early stopping, folds, independence of models."""

import dataclasses
import json
import random

import numpy as np
import pytest

from keras_axlstm.evaluation.metrics import top1_acc
from keras_axlstm.evaluation.probe import (
    PROTOCOLS,
    GridPoint,
    ProbeSplit,
    Protocol,
    run_probe,
)
from keras_axlstm.evaluation.probe.candidate import Candidate
from keras_axlstm.evaluation.probe.group import probabilities
from keras_axlstm.evaluation.probe.training import train
from tests.evaluation.probe_cases import LABELS, make_kfold_task, make_split, make_task
from tests.support.tolerances import BACKENDS_AGREE

SMALL = Protocol(
    "small",
    (GridPoint(1e-2, 0.1), GridPoint(3e-3, 0.4), GridPoint(1e-3, 0.2, 2, "xavier_uniform")),
    max_epochs=20,
    validate_every=2,
    patience=3,
    batch_size=128,
    hidden_size=16,
)


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_seed_does_not_depend_on_the_others(multilabel):
    task = make_task(multilabel)
    together = run_probe(task, SMALL, [0, 1, 2]).seeds[1]
    alone = run_probe(task, SMALL, [1]).seeds[0]
    assert alone.grid_point == together.grid_point
    for one, other in zip(alone.grid_scores, together.grid_scores, strict=True):
        assert (one["epoch"], one["epochs"]) == (other["epoch"], other["epochs"])
        score = pytest.approx(other["validation_score"], rel=BACKENDS_AGREE)
        assert one["validation_score"] == score
    scores = pytest.approx(together.folds[0].scores, rel=BACKENDS_AGREE)
    assert alone.folds[0].scores == scores


def test_models_stop_by_themselves_and_keep_their_best():
    task = make_task()
    candidates = [Candidate(seed, 0, point) for seed in range(4) for point in SMALL.grid[:2]]
    valid = task.splits["valid"]
    train(candidates, task, ("train",), "valid", SMALL)
    for candidate in candidates:
        waited = (candidate.epochs - candidate.epoch) // SMALL.validate_every
        assert waited == SMALL.patience or candidate.epochs == SMALL.max_epochs
        predictions = probabilities(candidate.best, valid.embeddings, False)[0]
        assert top1_acc(predictions, valid.targets) == candidate.score
    assert len({candidate.epochs for candidate in candidates}) > 1


def test_the_best_grid_point_of_the_first_fold_is_trained_on_all():
    result = run_probe(make_kfold_task(), SMALL, [3, 8])
    for seed in result.seeds:
        best = max(seed.grid_scores, key=lambda point: point["validation_score"])
        assert best.items() >= seed.grid_point.items()
        assert [fold.test for fold in seed.folds] == ["fold00", "fold01", "fold02", "fold03"]
        assert seed.folds[0].validation_score == best["validation_score"]
        scores = [fold.scores["top1_acc"] for fold in seed.folds]
        assert seed.score("top1_acc") == pytest.approx(np.mean(scores))
        assert seed.score("top1_acc") > 0.6
    assert result.mean == pytest.approx(np.mean(result.scores()))
    written = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert written["scores"]["top1_acc"]["mean"] == pytest.approx(result.mean)


def test_folds():
    assert make_kfold_task().folds() == [
        ("fold00", "fold01", ("fold02", "fold03")),
        ("fold01", "fold02", ("fold00", "fold03")),
        ("fold02", "fold03", ("fold00", "fold01")),
        ("fold03", "fold00", ("fold01", "fold02")),
    ]
    assert make_task().folds() == [("test", "valid", ("train",))]


def test_patience_counts_from_the_last_better_score():
    candidate = Candidate(0, 0, GridPoint(1e-3, 0.1))
    better = [candidate.validated(score, 2) for score in (0.1, 0.1, 0.2, 0.1, 0.2)]
    assert better == [True, False, True, False, False]
    assert candidate.finished and candidate.score == 0.2


def test_random_numbers_of_a_candidate():
    one, same, other = (Candidate(seed, 1, GridPoint(1e-3, 0.25)) for seed in (5, 5, 6))
    assert np.array_equal(one.order(50, True), same.order(50, True))
    assert not np.array_equal(one.order(50, True), other.order(50, True))
    assert not np.array_equal(one.order(50, True), one.order(50, True))
    assert np.array_equal(other.order(50, False), other.order(50, False))
    kept = one.kept(1000, 101)
    assert kept.shape == (1000, 101)
    assert kept.mean() == pytest.approx(0.75, abs=0.01)
    assert not np.array_equal(kept, one.kept(1000, 101))


def test_protocols():
    paper, heareval = PROTOCOLS["paper"], PROTOCOLS["heareval"]
    assert [(p.dropout, p.learning_rate, p.hidden_layers) for p in paper.grid_of(0)] == [
        (0.1, 1e-4, 1),
        (0.25, 1e-4, 1),
    ]
    assert (paper.max_epochs, paper.validate_every, paper.patience) == (500, 3, 20)
    assert paper.reshuffle and not heareval.reshuffle
    assert len(heareval.grid) == len(set(heareval.grid)) == 16
    # What `random.seed(42); random.shuffle(...)` leaves first, which is what heareval does.
    order = list(range(16))
    random.seed(42)
    random.shuffle(order)
    assert heareval.grid_of(42) == tuple(heareval.grid[i] for i in order[:8])
    assert run_probe(make_task(), "fast", [1]).mean > 0.6


def test_a_last_batch_of_one_clip_is_left_out():
    result = run_probe(make_task(), dataclasses.replace(SMALL, batch_size=89), [0])
    assert np.isfinite(result.mean)


def test_models_that_diverge_are_named():
    rash = dataclasses.replace(SMALL, grid=(GridPoint(1e37, 0.1),))
    with pytest.raises(ValueError, match="toy, seed 0, test split test: no probe gave finite"):
        run_probe(make_task(), rash, [0])


def test_bad_tasks_are_refused():
    task = make_task()

    def changed(**changes):
        return dataclasses.replace(task, **changes)

    for changes, message in [
        ({"prediction_type": "regression"}, "Expected a prediction_type"),
        ({"split_mode": "loo"}, "Expected a split_mode"),
        ({"evaluation": ("accuracy",)}, r"received \('accuracy',\)"),
        ({"evaluation": ()}, "received none"),
        ({"labels": LABELS[:2]}, "each of the 2 labels, received 4 in split train"),
        ({"splits": {"train": task.splits["train"]}}, "Expected the splits"),
        ({"split_mode": "new_split_kfold", "splits": {"f": make_split(9, 0)}}, "3 folds or more"),
        ({"splits": make_task(True).splits}, "clips in split train with none or several"),
        ({"splits": task.splits | {"train": make_split(1, 0)}}, "two training clips"),
    ]:
        with pytest.raises(ValueError, match=message):
            changed(**changes)
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 2 clips"):
        ProbeSplit(np.array([[1.0], [np.inf]]), np.eye(2))
    with pytest.raises(ValueError, match=r"received \(2, 1\) and \(3, 3\)"):
        ProbeSplit(np.ones((2, 1)), np.eye(3))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="Expected a protocol of"):
        run_probe(make_task(), "papper")
    for seeds in ([], [1, 1], [-1]):
        with pytest.raises(ValueError, match="at least one seed, all different"):
            run_probe(make_task(), SMALL, seeds)
    for changes in ({"patience": 0}, {"batch_size": 1}, {"max_epochs": 1}, {"grid": ()}):
        with pytest.raises(ValueError, match="Expected"):
            dataclasses.replace(SMALL, **changes)
    for point in ((0.0, 0.1), (1.0, 1.0), (1.0, 0.0, 0), (1.0, 0.0, 1, "he")):
        with pytest.raises(ValueError, match="xpected"):
            GridPoint(*point)
