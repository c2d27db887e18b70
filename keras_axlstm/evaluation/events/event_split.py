import dataclasses
import json
from collections.abc import Iterator, Sequence

import numpy as np

from keras_axlstm.evaluation.events.frame_labels import frame_labels
from keras_axlstm.evaluation.probe.probe_split import ProbeSplit
from keras_axlstm.evaluation.tasks.event import Event


@dataclasses.dataclass(frozen=True, eq=False)
class EventSplit(ProbeSplit):
    """The frames of all clips of one split, one after the other. `EventSplit.of` makes it.

    Attributes:
        embeddings: of all frames, (n, d) float32.
        targets: which classes are heard at each frame, (n, classes) bool.
        times_ms: of the frames of each clip, (t,) float64 in milliseconds.
        events: what is heard in each clip.
    """

    times_ms: tuple[np.ndarray, ...]
    events: tuple[tuple[Event, ...], ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        frames = sum(map(len, self.times_ms))
        if frames != len(self.embeddings) or len(self.times_ms) != len(self.events):
            raise ValueError(
                f"Expected a time for each of {len(self.embeddings)} frames and events for each of "
                f"{len(self.times_ms)} clips, received {frames} times and events of "
                f"{len(self.events)} clips."
            )
        for clip, times_ms in enumerate(self.times_ms):
            if not np.isfinite(times_ms).all() or (np.diff(times_ms) <= 0).any():
                raise ValueError(
                    f"Expected the times of frames to be finite and to rise, received others in "
                    f"clip {clip}: mend the model that gave them."
                )

    @staticmethod
    def of(
        frames: Sequence[tuple[np.ndarray, np.ndarray]],
        events: Sequence[Sequence[Event]],
        labels: Sequence[str],
    ) -> "EventSplit":
        """Join the clips and label their frames.

        Args:
            frames: of each clip embeddings (t, d) and times (t,) in milliseconds, as `embed_task`
                gives them.
            events: of each clip.
            labels: the vocabulary.

        Raises:
            ValueError: no clips, numbers of clips or of frames that differ, times that do not rise,
                numbers that are not finite, or an event whose label is not in the vocabulary.

        Example:

        ```python
        import numpy as np
        from keras_axlstm.evaluation.events import EventSplit
        from keras_axlstm.evaluation.tasks import Event

        clip = (np.random.randn(20, 8), 50.0 * np.arange(20))
        split = EventSplit.of([clip], [[Event("knock", 100.0, 300.0)]], ["knock", "cough"])
        split.targets.sum()  # 5
        ```
        """
        if not frames or len(frames) != len(events):
            raise ValueError(
                "Expected frames and events of as many clips, at least one, received frames of "
                f"{len(frames)} and events of {len(events)} clips."
            )
        times = tuple(np.asarray(times_ms, np.float64) for _, times_ms in frames)
        return EventSplit(
            np.concatenate([embeddings for embeddings, _ in frames]),
            np.concatenate(
                [frame_labels(*clip, labels) for clip in zip(events, times, strict=True)]
            ),
            times,
            tuple(map(tuple, events)),
        )

    def by_clip(self, frames: np.ndarray) -> list[np.ndarray]:
        """Cut an array of all frames, (n, ...), into those of the clips."""
        ends = np.cumsum([len(times_ms) for times_ms in self.times_ms])
        return np.split(frames, ends[:-1])

    def contents(self) -> Iterator[bytes]:
        yield from super().contents()
        events = [[dataclasses.astuple(event) for event in clip] for clip in self.events]
        yield json.dumps([[len(times_ms) for times_ms in self.times_ms], events]).encode()
        for times_ms in self.times_ms:
            yield times_ms.tobytes()
