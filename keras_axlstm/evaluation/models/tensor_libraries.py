"""Calling HEAR models with arrays, whichever library they are of."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np


class TorchTensors:
    """A `torch.nn.Module`, on the GPU if there is one, without gradients.

    Args:
        model: the module; put into evaluation mode.
    """

    name: ClassVar[str] = "torch"

    def __init__(self, model: Any) -> None:
        from keras_axlstm.evaluation.models.torch_state import best_device

        self._device = best_device()
        self._model = model.to(self._device).eval()

    @staticmethod
    def owns(model: Any) -> bool:
        """Whether it is a module of this library."""
        import torch

        return isinstance(model, torch.nn.Module)

    def state(self) -> Iterable[np.ndarray]:
        """What the model has learned."""
        from keras_axlstm.evaluation.models.torch_state import state_arrays

        return state_arrays(self._model)

    def call(self, function: Callable[..., Any], audio: np.ndarray) -> Any:
        """`function(audio, model)` as an array, or a tuple of arrays."""
        import torch

        from keras_axlstm.evaluation.models.torch_state import to_array

        with torch.no_grad():
            outputs = function(torch.from_numpy(audio).to(self._device), self._model)
        return tuple(map(to_array, outputs)) if isinstance(outputs, tuple) else to_array(outputs)


class TensorFlowTensors:
    """A `tf.Module`, where TensorFlow placed it.

    Args:
        model: the module.
    """

    name: ClassVar[str] = "tensorflow"

    def __init__(self, model: Any) -> None:
        self._model = model

    @staticmethod
    def owns(model: Any) -> bool:
        """Whether it is a module of this library."""
        import tensorflow as tf

        return isinstance(model, tf.Module)

    def state(self) -> Iterable[np.ndarray]:
        """What the model has learned."""
        return (variable.numpy() for variable in self._model.variables)

    def call(self, function: Callable[..., Any], audio: np.ndarray) -> Any:
        """`function(audio, model)` as an array, or a tuple of arrays."""
        import tensorflow as tf

        outputs = function(tf.convert_to_tensor(audio), self._model)
        if isinstance(outputs, tuple):
            return tuple(output.numpy() for output in outputs)
        return outputs.numpy()
