import csv
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from keras_axlstm.distribution import Distribution
from keras_axlstm.training.run_length import RunLength

COLUMNS = ("step", "epoch", "loss", "reconstruction_mse", "learning_rate", "samples_per_second")


class HistoryLog(keras.callbacks.Callback):
    """Writes `history.csv`: a line for each row of the run, with the means over its steps.

    Args:
        path: of the file.
        length: of the run.
        batch_size: clips of a step.
        learning_rate: gives the rate of an update, counted from 0.
        kept_bytes: what earlier parts of the run wrote up to the checkpoint; the rest is cut off.
        distribution: whose chief writes; the others compute the values.

    Attributes:
        values: the newest line, by column.
    """

    def __init__(
        self,
        path: Path,
        length: RunLength,
        batch_size: int,
        learning_rate: Callable[[int], Any],
        kept_bytes: int = 0,
        distribution: Distribution | None = None,
    ) -> None:
        super().__init__()
        self.values: dict[str, float] = {}
        self._path = path
        self._length = length
        self._batch_size = batch_size
        self._learning_rate = learning_rate
        self._distribution = distribution or Distribution()
        self._row_start = 0.0
        if self._distribution.is_chief:
            self._cut(kept_bytes)

    def size(self) -> int:
        """Bytes written, forced to the disk."""
        with open(self._path, "rb") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._row_start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        step = self._length.step_after_row(epoch)
        steps = step - epoch * self._length.steps_per_row
        seconds = time.monotonic() - self._row_start
        # Fewer than steps where loss scaling skipped some.
        updates = int(self._distribution.to_numpy(self.model.optimizer.iterations))
        self.values = {
            "step": step,
            "epoch": round(step / self._length.steps_per_epoch, 4),
            "loss": float(logs["loss"]),
            "reconstruction_mse": float(logs["reconstruction_mse"]),
            "learning_rate": float(self._learning_rate(max(0, updates - 1))),
            "samples_per_second": round(steps * self._batch_size / seconds, 2),
        }
        if self._distribution.is_chief:
            self._write(self.values.values())

    def _cut(self, size: int) -> None:
        if not size:
            self._path.unlink(missing_ok=True)
            self._write(COLUMNS)
            return
        found = self._path.stat().st_size if self._path.exists() else 0
        if found < size:
            warnings.warn(
                f"{self._path} has {found} bytes where the checkpoint knows {size}: rows are "
                "missing, and those to come are added.",
                UserWarning,
                stacklevel=3,
            )
        elif found > size:
            os.truncate(self._path, size)

    def _write(self, cells: Any) -> None:
        # Opened for each row: a row that has been written is safe from a crash of the process.
        with open(self._path, "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(cells)


def read_history(path: str | os.PathLike[str]) -> list[dict[str, float]]:
    """The lines of a `history.csv` as numbers by column."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
