from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np


class Distribution:
    """One process, one device; the classes for more derive from it.

    What a run asks of the place it runs in: which process this is, how a model is built and trained
    there, and how the processes agree. Every process trains; only the chief writes files.

    Example:

    ```python
    from keras_axlstm.distribution import Distribution

    Distribution().is_chief  # True
    ```
    """

    process_index = 0
    process_count = 1
    device_count = 1  # over all processes, where each has its own part of a batch

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.process_index == 0

    def check_batch_size(self, batch_size: int) -> None:
        """Raise ValueError unless every device gets an equal part of a batch."""
        if batch_size % self.device_count:
            raise ValueError(
                f"`batch_size` must be a multiple of the {self.device_count} devices that share a "
                f"batch. Received: {batch_size}"
            )

    def scope(self) -> AbstractContextManager[Any]:
        """The context in which the model is built, compiled and trained."""
        return nullcontext()

    def prepare(self, model: keras.Model) -> None:
        """Make `fit` of a compiled model train on all devices."""

    def batches(self, batches: Iterable[np.ndarray], shape: tuple[int, ...]) -> Any:
        """For `fit`: what yields batches of a shape, with the examples of this process."""
        return batches

    def barrier(self) -> None:
        """Wait until every process is here."""

    def to_numpy(self, variable: keras.Variable) -> np.ndarray:
        """The whole value of a variable. Every process must call it."""
        return np.array(keras.ops.convert_to_numpy(variable))
