import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import numpy as np

from keras_axlstm.evaluation.events.event_scores import SEGMENT_ERROR_RATE, event_scores
from keras_axlstm.evaluation.events.event_split import EventSplit
from keras_axlstm.evaluation.events.postprocessing import GRID, Postprocessing
from keras_axlstm.evaluation.probe.probe_task import ProbeTask
from keras_axlstm.evaluation.tasks.event import Event
from keras_axlstm.evaluation.tasks.metadata import EVENT_SCORES

Clips = tuple[tuple[Event, ...], ...]


@dataclasses.dataclass(frozen=True)
class EventProbeTask(ProbeTask):
    """A task of frames, whose predictions are scored as events.

    A model is scored on its validation split with every post-processing; the best one is its own,
    and serves on its test split. Of equal ones the last of the grid wins.

    Attributes:
        splits: as in `ProbeTask`, with times and events.
        postprocessing: the grid to choose from.

    Raises:
        ValueError: as `ProbeTask`; a primary score of which less is better; not multi-label; no
            post-processing.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.events import EventProbeTask, EventSplit
    from keras_axlstm.evaluation.tasks import Event

    def split(clips):
        frames = [(np.random.randn(20, 8), 50.0 * np.arange(20)) for _ in range(clips)]
        return EventSplit.of(frames, [[Event("knock", 100.0, 500.0)]] * clips, ["knock", "cough"])

    splits = {"train": split(9), "valid": split(3), "test": split(3)}
    task = EventProbeTask(
        "toy", "multilabel", "trainvaltest", ("event_onset_200ms_fms",), ("knock", "cough"), splits
    )
    ```
    """

    splits: Mapping[str, EventSplit]
    postprocessing: tuple[Postprocessing, ...] = GRID

    known_scores: ClassVar[tuple[str, ...]] = EVENT_SCORES

    def contents(self) -> Iterator[bytes]:
        yield from super().contents()
        yield json.dumps([dataclasses.astuple(each) for each in self.postprocessing]).encode()

    def validation_score(self, valid: str, predictions: np.ndarray) -> float:
        return self._chosen(valid, predictions)[0]

    def tested(
        self, test: str, valid: str, predict: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[dict[str, float], dict[str, float]]:
        _, chosen = self._chosen(valid, predict(self.splits[valid].embeddings))
        found = self._events(test, predict(self.splits[test].embeddings), chosen)
        return self._scores(tuple(self.evaluation), test, found), dataclasses.asdict(chosen)

    def _chosen(self, valid: str, predictions: np.ndarray) -> tuple[float, Postprocessing]:
        """The best post-processing and its score."""
        # Several often give the same events, and sed_eval takes longer than all the rest.
        known: dict[Clips, float] = {}
        best = (-np.inf, self.postprocessing[0])
        for postprocessing in self.postprocessing:
            found = self._events(valid, predictions, postprocessing)
            if found not in known:
                primary = self.evaluation[0]
                known[found] = self._scores((primary,), valid, found)[primary]
            if known[found] >= best[0]:
                best = known[found], postprocessing
        return best

    def _events(self, name: str, predictions: np.ndarray, postprocessing: Postprocessing) -> Clips:
        split = self.splits[name]
        clips = zip(split.by_clip(predictions), split.times_ms, strict=True)
        return tuple(postprocessing.events(*clip, self.labels) for clip in clips)

    def _scores(self, names: tuple[str, ...], split: str, found: Clips) -> dict[str, float]:
        return event_scores(names, self.labels, self.splits[split].events, found)

    def _setting_problems(self) -> list[str]:
        problems = super()._setting_problems()
        if self.prediction_type != "multilabel":
            problems.append(
                "Expected a multilabel event task, because a frame may have no event at all, "
                f"received {self.prediction_type!r}."
            )
        if tuple(self.evaluation[:1]) == (SEGMENT_ERROR_RATE,):
            problems.append(
                f"Expected a primary score of which more is better, received {SEGMENT_ERROR_RATE}: "
                "put an F-measure before it in `evaluation`."
            )
        if not self.postprocessing:
            problems.append("Expected at least one post-processing, received none.")
        return problems
