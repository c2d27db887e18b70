"""Scores by hand, and against sed_eval called directly."""

import numpy as np
import pytest

from keras_axlstm.evaluation.events import event_scores
from keras_axlstm.evaluation.events.event_scores import require_sed_eval
from keras_axlstm.evaluation.tasks import Event
from keras_axlstm.evaluation.tasks.metadata import EVENT_SCORES
from tests.evaluation.events.event_library import needs_sed_eval

pytestmark = pytest.mark.any_backend

LABELS = ("cat", "dog", "owl")
THERE = [[Event("cat", 1000.0, 2000.0), Event("dog", 3000.0, 3500.0)], [Event("owl", 0.0, 900.0)]]


def scores(found, there=THERE):
    return event_scores(EVENT_SCORES, LABELS, there, found)


@needs_sed_eval
def test_scores_by_hand():
    assert list(scores(THERE).values()) == [1.0, 1.0, 1.0, 0.0]
    # Nothing found: every segment with an event is missed.
    assert list(scores([[], []]).values()) == [0.0, 0.0, 0.0, 1.0]
    moved = [[Event("cat", 1040.0, 2150.0), Event("dog", 3150.0, 3500.0)], []]
    found = scores(moved)
    # Both onsets of three within 200 ms, one within 50 ms; its end is within a fifth of its length.
    assert found["event_onset_200ms_fms"] == pytest.approx(2 * 2 / 5)
    assert found["event_onset_50ms_fms"] == pytest.approx(2 * 1 / 5)
    assert found["event_onset_offset_50ms_20perc_fms"] == pytest.approx(2 * 1 / 5)
    other = [[Event("dog", 1000.0, 2000.0), Event("dog", 3000.0, 3500.0)], THERE[1]]
    assert scores(other)["event_onset_50ms_fms"] == pytest.approx(4 / 6)
    # One segment of three has another label: a substitution.
    assert scores(other)["segment_1s_er"] == pytest.approx(1 / 3)


def random_events(rng, count):
    starts = rng.uniform(0, 9000, count)
    labels = rng.choice(LABELS, count)
    return [
        Event(str(label), float(start), float(start + rng.uniform(50, 900)))
        for label, start in zip(labels, starts, strict=True)
    ]


@needs_sed_eval
def test_sed_eval_called_directly():
    """With the settings written out, and containers filtered by file as other programs do."""
    sound_event, container = require_sed_eval()
    rng = np.random.default_rng(0)
    there = [random_events(rng, count) for count in (20, 0, 12, 1)]
    found = [random_events(rng, count) for count in (30, 3, 0, 1)]
    metrics = [
        sound_event.EventBasedMetrics(list(LABELS), True, False, 0.2),
        sound_event.EventBasedMetrics(list(LABELS), True, False, 0.05),
        sound_event.EventBasedMetrics(list(LABELS), True, True, 0.05, 0.2),
        sound_event.SegmentBasedMetrics(list(LABELS), 1.0),
    ]

    def rows(clips):
        keys = ("event_label", "event_onset", "event_offset", "file")
        return container(
            [
                dict(zip(keys, (e.label, e.start_ms / 1e3, e.end_ms / 1e3, str(i)), strict=True))
                for i, clip in enumerate(clips)
                for e in clip
            ]
        )

    for clip in range(4):
        pair = [rows(clips).filter(filename=str(clip)) for clips in (there, found)]
        for metric in metrics:
            metric.evaluate(*pair)
    overall = [metric.results_overall_metrics() for metric in metrics]
    expected = [each["f_measure"]["f_measure"] for each in overall[:3]]
    expected.append(overall[3]["error_rate"]["error_rate"])
    assert 0 < expected[2] < expected[0] < 1
    assert list(scores(found, there).values()) == pytest.approx(expected, rel=1e-12)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="events of 2 and 1 clips"):
        event_scores(EVENT_SCORES, LABELS, THERE, [[]])
    with pytest.raises(ValueError, match="received \\('mAP',\\)"):
        event_scores(["mAP"], LABELS, THERE, THERE)
