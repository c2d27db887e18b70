"""Models by the name of a preset, also with random weights."""

import os
from typing import Any, TypeVar

from keras_axlstm.models.random_weights import numpy_random_weights

RANDOM_PREFIX = "random:"

Model = TypeVar("Model")


def open_preset(cls: type[Model], preset: str | os.PathLike, **options: Any) -> Model:
    """A model of a preset, or of its architecture with random weights.

    Args:
        cls: what has a method `from_preset`, such as `AudioClassifier`.
        preset: what that method takes; or `random:PRESET`, or `random:PRESET:SEED`, for random
            weights, the same on every backend. The default seed is 0.
        **options: arguments of that method.

    Raises:
        ValueError: an unknown preset, one whose weights are not available, or a bad seed.

    Example:

    ```python
    from keras_axlstm.models import AudioClassifier
    from keras_axlstm.models.open_preset import open_preset

    open_preset(AudioClassifier, "random:axlstm_tiny", class_names=["rain", "wind"])
    ```
    """
    from_preset: Any = cls.from_preset  # type: ignore[attr-defined]
    preset = os.fspath(preset)
    if not preset.startswith(RANDOM_PREFIX):
        return from_preset(preset, **options)
    name, seed = _split_seed(preset.removeprefix(RANDOM_PREFIX))
    with numpy_random_weights(seed):
        return from_preset(name, load_weights=False, **options)


def _split_seed(name: str) -> tuple[str, int]:
    head, separator, seed = name.rpartition(":")
    if not separator or "/" in seed:
        return name, 0
    if not seed.isdecimal():
        raise ValueError(
            f"Expected `random:PRESET` or `random:PRESET:SEED` with a whole number as the seed. "
            f"Received: {RANDOM_PREFIX}{name}"
        )
    return head, int(seed)
