from typing import Any

import keras

from keras_axlstm.training.run_length import RunLength


class StopAtTheEnd(keras.callbacks.Callback):
    """Ends the training after the last step, where the last row is shorter than the others.

    Args:
        length: of the run.
    """

    def __init__(self, length: RunLength) -> None:
        super().__init__()
        self._length = length
        self._row = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._row = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        is_last = self._length.step_of_batch(self._row, batch) == self._length.steps
        if is_last and (batch + 1) % self._length.batches_per_step == 0:
            self.model.stop_training = True
