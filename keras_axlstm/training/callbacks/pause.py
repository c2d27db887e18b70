import time

import keras


class Pause(keras.callbacks.Callback):
    """Ends the training with a row when a time is over, or would be before the next row ends.

    Args:
        seconds: from now on, or None for no end.

    Attributes:
        is_due: the training pauses after this row.
    """

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.is_due = False
        self._end = None if seconds is None else time.monotonic() + seconds
        self._row_start = 0.0
        self._rows = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._row_start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self._end is None:
            return
        now = time.monotonic()
        # The first row is no measure of the next: it compiles.
        next_row = now - self._row_start if self._rows else 0.0
        self._rows += 1
        if now + next_row > self._end:
            self.is_due = True
            self.model.stop_training = True
