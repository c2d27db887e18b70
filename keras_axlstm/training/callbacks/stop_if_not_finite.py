import math
from typing import Any

import keras

from keras_axlstm.training.checkpoints import Checkpoints
from keras_axlstm.training.run_length import RunLength


class StopIfNotFinite(keras.callbacks.Callback):
    """Ends the training with an error at the first step whose loss is not a finite number.

    Keras gives the mean over the row so far, which is infinite or NaN from that step on. A step
    that loss scaling skips has a finite loss, and goes through.

    Args:
        length: of the run.
        checkpoints: of the run, to name what is kept.
    """

    def __init__(self, length: RunLength, checkpoints: Checkpoints) -> None:
        super().__init__()
        self._length = length
        self._checkpoints = checkpoints
        self._row = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._row = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            step = self._length.step_of_batch(self._row, batch)
            raise ValueError(not_finite(f"The loss became {loss}", step, self._checkpoints))


def not_finite(what: str, step: int, checkpoints: Checkpoints) -> str:
    """The message: what happened, what is kept, what to try."""
    steps = checkpoints.steps()
    kept = f"The checkpoint of step {steps[-1]} is kept. " if steps else ""
    return (
        f"{what} at step {step}. {kept}Lower the learning rate (--learning-rate), or raise the "
        "precision (--precision float32)."
    )
