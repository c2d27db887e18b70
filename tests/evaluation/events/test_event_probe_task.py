"""Choosing the post-processing, and what cannot be a task."""

import dataclasses

import numpy as np
import pytest

from keras_axlstm.evaluation.events import EventProbeTask, EventSplit, Postprocessing, event_scores
from keras_axlstm.evaluation.tasks import Event
from tests.evaluation.events.event_library import needs_sed_eval

LABELS = ("cat", "dog")
SCORES = ("event_onset_200ms_fms", "segment_1s_er")


def make_split(clips, seed=0):
    rng = np.random.default_rng(seed)
    frames = [(rng.normal(size=(40, 3)), 50.0 * np.arange(40)) for _ in range(clips)]
    return EventSplit.of(frames, [[Event("cat", 500.0, 1000.0)]] * clips, LABELS)


def make_task(**changes):
    splits = {"train": make_split(3), "valid": make_split(2), "test": make_split(2)}
    settings = ("toy", "multilabel", "trainvaltest", SCORES, LABELS, splits)
    return dataclasses.replace(EventProbeTask(*settings), **changes)


@needs_sed_eval
def test_the_postprocessing_of_the_validation_split_is_used_on_the_test_split():
    task = make_task(postprocessing=(Postprocessing(0.0, 0.0), Postprocessing(0.0, 125.0)))
    right = task.splits["valid"].targets.astype("float32")
    spiked = right.copy()
    # A dog of a single frame, in each clip: only the longer minimum duration drops it.
    spiked[[5, 45], 1] = 1.0
    assert task.validation_score("valid", spiked) == 1.0
    # Here the events themselves are too short for it.
    short = np.zeros_like(right)
    short[[10, 50], 0] = 1.0
    assert task.validation_score("valid", short) == 1.0

    calls = iter([spiked, right])
    scores, chosen = task.tested("test", "valid", lambda embeddings: next(calls))
    assert scores == {"event_onset_200ms_fms": 1.0, "segment_1s_er": 0.0}
    assert chosen == {"median_filter_ms": 0.0, "min_duration_ms": 125.0, "threshold": 0.5}
    calls = iter([short, spiked])
    scores, chosen = task.tested("test", "valid", lambda embeddings: next(calls))
    assert chosen["min_duration_ms"] == 0.0
    assert scores["event_onset_200ms_fms"] == pytest.approx(2 * 2 / (2 + 4))


def test_a_hash_covers_the_postprocessing():
    def contents(task):
        return b"".join(task.contents())

    other = make_task(postprocessing=(Postprocessing(150.0, 50.0),))
    assert contents(make_task()) == contents(make_task()) != contents(other)


@needs_sed_eval
def test_equal_events_are_scored_once(monkeypatch):
    from keras_axlstm.evaluation.events import event_probe_task

    count = []
    monkeypatch.setattr(
        event_probe_task,
        "event_scores",
        lambda *arguments: count.append(1) or event_scores(*arguments),
    )
    task = make_task()
    right = task.splits["valid"].targets.astype("float32")
    _, chosen = task.tested("test", "valid", lambda embeddings: right)
    # Of equal scores that of the last one.
    assert chosen["min_duration_ms"] == 250.0
    assert len(count) == 2
    assert task.validation_score("valid", np.zeros_like(right)) == 0.0


def test_bad_tasks_are_refused():
    for changes, message in [
        ({"evaluation": SCORES[::-1]}, "of which more is better, received segment_1s_er"),
        ({"evaluation": ("mAP",)}, r"received \('mAP',\)"),
        ({"prediction_type": "multiclass"}, "Expected a multilabel event task"),
        ({"postprocessing": ()}, "at least one post-processing"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_task(**changes)
