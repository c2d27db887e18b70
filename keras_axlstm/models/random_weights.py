"""Random weights that are the same numbers on every backend."""

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


@contextmanager
def numpy_random_weights(seed: int) -> Iterator[None]:
    """While it lasts, layers draw their random weights with NumPy.

    The distributions are those of the layers' initializers, but a seed gives other numbers on each
    backend, and NumPy the same ones. Weights that are not random stay as they are. Not for several
    threads that build layers at a time.

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
    original = keras.Layer.add_weight

    def add_weight(
        layer: keras.Layer, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        if initializer is not None:
            initializer = keras.initializers.get(initializer)
            if isinstance(initializer, _RANDOM):
                initializer = _drawn_with(generator, initializer)
        return original(layer, shape, initializer, *args, **kwargs)

    keras.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.Layer.add_weight = original


def _drawn_with(
    generator: np.random.Generator, initializer: Any
) -> Callable[[tuple[int, ...], Any], Any]:
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
