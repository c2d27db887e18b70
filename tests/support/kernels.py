"""Kernels that not every machine has."""

import keras
import pytest

from keras_axlstm.recurrence import kernels


def skip_without(kernel: str) -> None:
    """Skip a test where an optional kernel is missing, and say why; the others must be there."""
    problems = kernels.unavailable(kernel, keras.ops.zeros((1, 1)))
    if kernel in kernels.OPTIONAL and problems:
        pytest.skip(problems[0])
