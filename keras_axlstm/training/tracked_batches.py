import dataclasses
import json
from typing import Any

import grain
import numpy as np

from keras_axlstm.training.run_length import RunLength


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The data at the end of a row.

    Args:
        state: of the iterator after the last batch, as JSON.
        example: `(1, time, frequency)`, first spectrogram of that batch.
    """

    state: str
    example: np.ndarray


class TrackedBatches(grain.IterDataset):
    """Batches that begin at a checkpoint and tell their position wherever a row ends.

    Keras and the prefetching around it take batches before they are trained on, so that the
    iterator's own state is ahead of the training: the state after each row is put by until that row
    has been trained.

    Args:
        batches: endless data set of `(batch, time, frequency)`.
        length: which batches end a row.
        step: steps that were done before.
        state: the state, as JSON, at that step; None at step 0.
    """

    def __init__(
        self, batches: grain.IterDataset, length: RunLength, step: int = 0, state: str | None = None
    ) -> None:
        super().__init__(batches)
        self._length = length
        self._step = step
        self._state = state
        self._snapshots: dict[int, Snapshot] = {}

    def __iter__(self) -> "_TrackedIterator":
        iterator = iter(self._parent)
        if self._state is not None:
            iterator.set_state(json.loads(self._state))
        return _TrackedIterator(iterator, self)

    def peek(self, step: int) -> Snapshot:
        """The snapshot of the row that ended with a step; earlier ones are forgotten."""
        # A copy of the keys: another thread may read on.
        for earlier in [other for other in list(self._snapshots) if other < step]:
            del self._snapshots[earlier]
        return self._snapshots[step]

    def record(self, count: int, batch: np.ndarray, iterator: Any) -> None:
        """Put a snapshot by if a row ends after `count` batches of this iteration."""
        parts = self._length.batches_per_step
        total = self._step * parts + count
        if self._length.ends_row(total):
            state = json.dumps(iterator.get_state())
            self._snapshots[total // parts] = Snapshot(state, np.array(batch[:1]))


class _TrackedIterator(grain.DatasetIterator):
    def __init__(self, iterator: Any, tracked: TrackedBatches) -> None:
        super().__init__(iterator)
        self._tracked = tracked
        self._count = 0

    def __next__(self) -> np.ndarray:
        batch = next(self._parent)
        self._count += 1
        self._tracked.record(self._count, batch, self._parent)
        return batch

    def get_state(self) -> dict[str, Any]:
        return self._parent.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        self._parent.set_state(state)
