from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_axlstm.distribution import Distribution
from keras_axlstm.training.callbacks.pause import Pause
from keras_axlstm.training.callbacks.stop_if_not_finite import not_finite
from keras_axlstm.training.checkpoints import Checkpoint, Checkpoints
from keras_axlstm.training.run_length import RunLength
from keras_axlstm.training.run_state import read_arrays
from keras_axlstm.training.tracked_batches import TrackedBatches


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves a checkpoint at the end of the row in which it is due, and where the run stops.

    Must come after the callbacks that write at the end of a row.

    Args:
        checkpoints: where to.
        length: of the run.
        every: steps between two.
        batches: of the run.
        distribution: whose chief writes.
        pause: tells whether the run pauses.
        facts: gives what else the checkpoint keeps; called by the chief.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        length: RunLength,
        every: int,
        batches: TrackedBatches,
        distribution: Distribution,
        pause: Pause,
        facts: Callable[[], dict[str, Any]],
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._length = length
        self._every = every
        self._batches = batches
        self._distribution = distribution
        self._pause = pause
        self._facts = facts

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not (self._pause.is_due or self._length.is_due(epoch, self._every)):
            return
        step = self._length.step_after_row(epoch)
        state = self._batches.peek(step).state
        arrays = read_arrays(self.model, self._distribution)
        # The update of the last step is seen in the loss of the next one only.
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError(not_finite("A weight became not finite", step, self._checkpoints))
        if self._distribution.is_chief:
            self._checkpoints.save(Checkpoint(step, state, self._facts(), arrays))
