import math
import time
from collections.abc import Callable
from typing import Any

import keras


class EpochLines(keras.callbacks.Callback):
    """A bar for the steps of each epoch, and a line of text at its end; stops a loss gone wrong.

    Args:
        epochs: of the training.
        steps: of an epoch.
        visible: show the bar.
        report: gets the lines.
    """

    def __init__(
        self, epochs: int, steps: int, visible: bool, report: Callable[[str], None]
    ) -> None:
        super().__init__()
        from tqdm import tqdm

        self._bar = tqdm(total=steps, unit="step", disable=not visible, leave=False)
        self._epochs = epochs
        self._report = report
        self._start = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.reset()
        self._start = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise ValueError(
                f"The loss is {loss} after step {batch + 1} of the epoch: the training diverged. "
                "Nothing was written. Lower the learning rate (command line: --learning-rate)."
            )
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Keras sorts them by name.
        named = sorted((logs or {}).items(), key=lambda item: "loss" not in item[0])
        values = ", ".join(
            f"{name.replace('val_', 'validation ').replace('_', ' ')} {float(value):.4f}"
            for name, value in named
        )
        self._bar.clear()
        self._report(
            f"epoch {epoch + 1}/{self._epochs}: {values} ({time.monotonic() - self._start:.1f} s)"
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
