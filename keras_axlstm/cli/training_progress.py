"""A progress bar over all steps of a training, and the first step's loss."""

import math
import time
from typing import Any

import keras

SECONDS_BETWEEN_LOSSES = 0.5


class TrainingProgress(keras.callbacks.Callback):
    """Shows one bar for all steps, keeps the first loss, and stops a training that diverges.

    Args:
        total_steps: steps of the whole training.
        visible: show the bar.

    Attributes:
        first_loss: loss of the first step, `None` before it.
    """

    def __init__(self, total_steps: int, visible: bool):
        super().__init__()
        from tqdm import tqdm

        self.first_loss: float | None = None
        self._bar = tqdm(total=total_steps, unit="step", disable=not visible)
        self._shown_at = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        # Reading the loss waits for the step to finish, so not at every step.
        if self.first_loss is None or now - self._shown_at > SECONDS_BETWEEN_LOSSES:
            self._shown_at = now
            loss = float((logs or {})["loss"])
            self._bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            if self.first_loss is None:
                self.first_loss = loss
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            self._bar.close()
            raise ValueError(
                f"The loss became {loss} by step {self._bar.n}. Lower the learning rate "
                "(--learning-rate), or raise the precision (--precision float32)."
            )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._bar.close()
