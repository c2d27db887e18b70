"""Scores of events, by the names that HEAR tasks give them; computed by sed_eval."""

import functools
import warnings
from collections.abc import Sequence
from typing import Any

from keras_axlstm.evaluation.tasks.event import Event
from keras_axlstm.evaluation.tasks.metadata import EVENT_SCORES

SEGMENT_ERROR_RATE = "segment_1s_er"
_SEGMENT_SECONDS = 1.0
# Onsets within so many seconds; for the last one ends too, or within a fifth of the event's length.
_EVENT_BASED = {
    "event_onset_200ms_fms": {"evaluate_offset": False, "t_collar": 0.2},
    "event_onset_50ms_fms": {"evaluate_offset": False, "t_collar": 0.05},
    "event_onset_offset_50ms_20perc_fms": {
        "evaluate_offset": True,
        "t_collar": 0.05,
        "percentage_of_length": 0.2,
    },
}

Clips = Sequence[Sequence[Event]]


def event_scores(
    names: Sequence[str], labels: Sequence[str], expected: Clips, found: Clips
) -> dict[str, float]:
    """Compare events that were found with those that are there.

    Args:
        names: of the scores. `event_onset_200ms_fms`, `event_onset_50ms_fms` and
            `event_onset_offset_50ms_20perc_fms` are F-measures over all events, as fractions;
            0 where nothing was found. `segment_1s_er` is the error rate over segments of a second:
            0 is best, and it may be above 1.
        labels: the vocabulary.
        expected: of each clip.
        found: of each clip.

    Returns:
        By name.

    Raises:
        ImportError: sed_eval is not installed.
        ValueError: an unknown name, or numbers of clips that differ.

    Example:

    ```python
    from keras_axlstm.evaluation.events import event_scores
    from keras_axlstm.evaluation.tasks import Event

    there, found = [[Event("knock", 100.0, 300.0)]], [[Event("knock", 150.0, 250.0)]]
    event_scores(["event_onset_200ms_fms"], ["knock"], there, found)  # doctest: +SKIP
    ```
    """
    unknown = [name for name in names if name not in EVENT_SCORES]
    if unknown or len(expected) != len(found):
        raise ValueError(
            f"Expected scores among {EVENT_SCORES} and events of as many clips, received "
            f"{tuple(names)} and events of {len(expected)} and {len(found)} clips."
        )
    container = require_sed_eval()[1]
    clips = [
        (container(_rows(there)), container(_rows(seen)))
        for there, seen in zip(expected, found, strict=True)
        if there or seen
    ]
    scores = {}
    for name in names:
        metric = _metric(name, list(labels))
        for there, seen in clips:
            metric.evaluate(there, seen)
        if name == SEGMENT_ERROR_RATE:
            scores[name] = float(metric.overall_error_rate()["error_rate"])
        else:
            scores[name] = float(metric.overall_f_measure()["f_measure"])
    return scores


@functools.cache
def require_sed_eval() -> tuple[Any, Any]:
    """The module of its metrics, and the list that they take; ImportError without it."""
    try:
        # It imports pkg_resources, which warns of its end.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from dcase_util.containers import MetaDataContainer
            from sed_eval import sound_event
    except ImportError as error:
        raise ImportError(
            "Event tasks need sed_eval, with a setuptools that still has pkg_resources: "
            f"pip install 'keras-axlstm[events]' ({error})"
        ) from error
    return sound_event, MetaDataContainer


def _metric(name: str, labels: list[str]) -> Any:
    sound_event, _ = require_sed_eval()
    if name == SEGMENT_ERROR_RATE:
        return sound_event.SegmentBasedMetrics(labels, time_resolution=_SEGMENT_SECONDS)
    return sound_event.EventBasedMetrics(
        labels, empty_system_output_handling="zero_score", **_EVENT_BASED[name]
    )


def _rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [
        {
            "event_label": event.label,
            "event_onset": event.start_ms / 1000,
            "event_offset": event.end_ms / 1000,
        }
        for event in events
    ]
