from pathlib import Path
from typing import Any

import keras

from keras_axlstm.training.callbacks.history_log import HistoryLog


class TensorBoardLog(keras.callbacks.Callback):
    """Writes the values of `history.csv` for TensorBoard, through tensorboardX on every backend.

    Args:
        folder: where to.
        history: gives the values; must come before this callback.
        done: steps that were done before; what was logged after them is hidden.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, history: HistoryLog, done: int = 0) -> None:
        super().__init__()
        check_tensorboard()
        from tensorboardX import SummaryWriter

        self._history = history
        self._writer = SummaryWriter(str(folder), purge_step=done + 1 if done else None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = dict(self._history.values)
        step = values.pop("step")
        for name, value in values.items():
            self._writer.add_scalar(name, value, int(step))
        self._writer.flush()

    def close(self) -> None:
        """Close the files, whether the training ended well or not."""
        self._writer.close()


def check_tensorboard() -> None:
    """Raise ImportError, saying what to install, if TensorBoard logs cannot be written."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "TensorBoard logs need tensorboardX: pip install 'keras-axlstm[tensorboard]'"
        ) from error
