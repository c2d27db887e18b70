import time
from typing import Any

import keras

from keras_axlstm.training.run_length import RunLength

SECONDS_BETWEEN_UPDATES = 0.5


class ProgressBar(keras.callbacks.Callback):
    """One bar for all steps, with loss and samples a second.

    Args:
        length: of the run.
        done: steps that were done before.
        batch_size: clips of a step.
        visible: show it.
    """

    def __init__(self, length: RunLength, done: int, batch_size: int, visible: bool) -> None:
        super().__init__()
        from tqdm import tqdm

        self._length = length
        self._batch_size = batch_size
        self._bar = tqdm(total=length.steps, initial=done, unit="step", disable=not visible)
        self._shown = (done, time.monotonic())
        self._row = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._row = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self._length.batches_per_step:
            return
        step = self._length.step_of_batch(self._row, batch)
        shown_step, shown_at = self._shown
        now = time.monotonic()
        if now - shown_at > SECONDS_BETWEEN_UPDATES:
            speed = (step - shown_step) * self._batch_size / (now - shown_at)
            loss = float((logs or {})["loss"])
            self._bar.set_postfix_str(f"loss {loss:.4f}, {speed:.0f} samples/s", refresh=False)
            self._shown = (step, now)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is, whether the training ended well or not."""
        self._bar.close()
