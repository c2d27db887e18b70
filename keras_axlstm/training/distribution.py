"""Where a training runs: for now one process on its default device."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np


class Distribution:
    """One process, one device.

    What a run asks of the place it runs in: which process this is, how a model is built there, and
    how the processes agree. Every process trains; only the chief writes files.

    Example:

    ```python
    from keras_axlstm.training.distribution import Distribution

    distribution = Distribution()
    distribution.is_chief  # True
    ```
    """

    process_index = 0
    process_count = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.process_index == 0

    def scope(self) -> AbstractContextManager[Any]:
        """The context in which the model and its optimizer are built and compiled."""
        return nullcontext()

    def barrier(self) -> None:
        """Wait until every process is here."""

    def gather(self, text: str) -> list[str]:
        """The texts of all processes, in their order. Every process must call it."""
        return [text]

    def to_numpy(self, variable: keras.Variable) -> np.ndarray:
        """The whole value of a variable. Every process must call it."""
        return np.array(keras.ops.convert_to_numpy(variable))
