"""Other numbers for random weights: the same on every backend, or zeros that a file replaces."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

_RANDOM = (
    keras.initializers.Orthogonal,
    keras.initializers.RandomNormal,
    keras.initializers.RandomUniform,
    keras.initializers.TruncatedNormal,
    keras.initializers.VarianceScaling,
)


# Held while the random initializers of the thread that holds it are others.
_LOCK = threading.RLock()

_Initializer = Callable[[tuple[int, ...], Any], Any]


@contextmanager
def numpy_random_weights(seed: int) -> Iterator[None]:
    """While it lasts, layers built in this thread draw their random weights with NumPy.

    The distributions are those of the layers' initializers, but a seed gives other numbers on each
    backend, and NumPy the same ones. Weights that are not random stay as they are.

    Args:
        seed: of the generator that all layers built meanwhile share, in the order of building.

    Example:

    ```python
    import keras_axlstm
    from keras_axlstm.models.random_weights import numpy_random_weights

    with numpy_random_weights(seed=0):
        encoder = keras_axlstm.AxLSTMEncoder(hidden_dim=16, num_layers=1, num_heads=2)
    ```
    """
    generator = np.random.default_rng(seed)
    with _random_initializers(lambda initializer: _drawn_with(generator, initializer)):
        yield


@contextmanager
def zeros_for_random_weights() -> Iterator[None]:
    """While it lasts, layers built in this thread have zeros where their weights are random.

    For weights that a file is about to replace: JAX compiles a program for each shape that it draws
    in, which takes longer than to read the file.

    Example:

    ```python
    import keras
    from keras_axlstm.models.random_weights import zeros_for_random_weights

    with zeros_for_random_weights():
        dense = keras.layers.Dense(3)
        dense.build((None, 2))
    ```
    """
    with _random_initializers(lambda initializer: _zeros):
        yield


@contextmanager
def _random_initializers(replace: Callable[[Any], _Initializer]) -> Iterator[None]:
    with _LOCK:
        thread = threading.get_ident()
        original = keras.Layer.add_weight

        def add_weight(
            layer: keras.Layer,
            shape: Any = None,
            initializer: Any = None,
            *args: Any,
            **kwargs: Any,
        ) -> Any:
            if initializer is not None and threading.get_ident() == thread:
                initializer = keras.initializers.get(initializer)
                if isinstance(initializer, _RANDOM):
                    initializer = replace(initializer)
            return original(layer, shape, initializer, *args, **kwargs)

        keras.Layer.add_weight = add_weight
        try:
            yield
        finally:
            keras.Layer.add_weight = original


def _zeros(shape: tuple[int, ...], dtype: Any = None) -> Any:
    # From NumPy, since JAX compiles its own for each shape.
    return keras.ops.convert_to_tensor(np.zeros(shape, "float32"), dtype)


def _drawn_with(generator: np.random.Generator, initializer: Any) -> _Initializer:
    """`initializer` with another source of random numbers."""

    def draw(shape: tuple[int, ...], dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(_values(generator, initializer, shape), dtype)

    return draw


def _values(generator: np.random.Generator, initializer: Any, shape: tuple[int, ...]) -> np.ndarray:
    match initializer:
        case keras.initializers.RandomNormal():
            return generator.normal(initializer.mean, initializer.stddev, shape)
        case keras.initializers.RandomUniform():
            return generator.uniform(initializer.minval, initializer.maxval, shape)
        case keras.initializers.GlorotUniform():
            fan_in, fan_out = _fans(shape)
            limit = np.sqrt(6.0 / (fan_in + fan_out))
            return generator.uniform(-limit, limit, shape)
        case keras.initializers.HeUniform():
            limit = np.sqrt(6.0 / _fans(shape)[0])
            return generator.uniform(-limit, limit, shape)
    raise ValueError(
        "Random weights can be drawn for the initializers RandomNormal, RandomUniform, "
        f"GlorotUniform and HeUniform. Received: {type(initializer).__name__}"
    )


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Values that an output is the sum of, and outputs that an input is in, as Keras counts."""
    if len(shape) < 2:
        return float(np.prod(shape)), float(np.prod(shape))
    positions = float(np.prod(shape[:-2]))
    return positions * shape[-2], positions * shape[-1]
