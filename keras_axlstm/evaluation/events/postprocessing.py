"""From probabilities over time to events."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from keras_axlstm.evaluation.tasks.event import Event


@dataclasses.dataclass(frozen=True)
class Postprocessing:
    """How the probabilities of frames become events.

    A median filter over time, a threshold; frames above it that follow each other are an event,
    from the time of the first to that of the last.

    Attributes:
        median_filter_ms: width of the filter in milliseconds, rounded to frames; 0 for none.
        min_duration_ms: shorter events are dropped.
        threshold: of the filtered probability, which must be above it.

    Raises:
        ValueError: a negative duration, or a threshold that is not between 0 and 1.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.events import Postprocessing

    probabilities = np.array([[0.1], [0.9], [0.8], [0.7], [0.2]])
    times_ms = 50.0 * np.arange(5)
    Postprocessing(0.0, 100.0).events(probabilities, times_ms, ["knock"])
    # [Event(label='knock', start_ms=50.0, end_ms=150.0)]
    ```
    """

    median_filter_ms: float = 250.0
    min_duration_ms: float = 125.0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        for name in ("median_filter_ms", "min_duration_ms"):
            if not getattr(self, name) >= 0:
                raise ValueError(
                    f"Expected `{name}` of 0 ms or more, received {getattr(self, name)!r}."
                )
        if not 0 <= self.threshold < 1:
            raise ValueError(f"Expected 0 <= `threshold` < 1, received {self.threshold!r}.")

    def events(
        self, probabilities: np.ndarray, times_ms: np.ndarray, labels: Sequence[str]
    ) -> tuple[Event, ...]:
        """The events of one clip.

        Args:
            probabilities: of its frames, (t, labels).
            times_ms: of its frames, (t,) in milliseconds, rising.
            labels: the vocabulary.

        Returns:
            By their beginning.
        """
        active = _median(probabilities > self.threshold, self._filter_width(times_ms))
        edges = np.diff(active.astype(np.int8), axis=0, prepend=0, append=0)
        events = []
        for label, column in zip(labels, edges.T, strict=True):
            starts, ends = np.flatnonzero(column == 1), np.flatnonzero(column == -1) - 1
            for start, end in zip(times_ms[starts], times_ms[ends], strict=True):
                if end - start >= self.min_duration_ms:
                    events.append(Event(label, float(start), float(end)))
        return tuple(sorted(events, key=lambda event: event.start_ms))

    def _filter_width(self, times_ms: np.ndarray) -> int:
        """In frames."""
        if len(times_ms) < 2:
            return 0
        return round(self.median_filter_ms / float(np.mean(np.diff(times_ms))))


def _median(active: np.ndarray, width: int) -> np.ndarray:
    """Median of `width` frames around each, (t, labels) bool; the ends are mirrored.

    The median of probabilities is above a threshold where half of them are: so it can be taken
    after the threshold, by counting. Of an even number of frames it is the upper one of the two in
    the middle, and the window has one frame more before its centre than after.
    """
    if width < 2:
        return active
    before = width // 2
    padded = np.pad(active, ((before, width - 1 - before), (0, 0)), mode="symmetric")
    counts = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0, dtype=np.int64)
    return counts[width:] - counts[:-width] >= width - width // 2


# What heareval chooses from, unless a task brings its own.
GRID = (Postprocessing(250.0, 125.0), Postprocessing(250.0, 250.0))
# What a grid that lacks a setting leaves it at; heareval too.
_DEFAULTS = {"median_filter_ms": (150.0,), "min_duration": (60.0,), "threshold": (0.5,)}


def postprocessing_grid(values: Mapping[str, Sequence[float]]) -> tuple[Postprocessing, ...]:
    """All combinations of a task's `event_postprocessing_grid`; `GRID` for an empty one."""
    if not values:
        return GRID
    settings = {**_DEFAULTS, **values}
    return tuple(itertools.starmap(Postprocessing, itertools.product(*settings.values())))
