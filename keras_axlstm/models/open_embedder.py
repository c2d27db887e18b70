"""An embedder by name, also of random weights."""

import os
from typing import Any

from keras_axlstm.models.audio_embedder import AudioEmbedder
from keras_axlstm.models.random_weights import numpy_random_weights

RANDOM_PREFIX = "random:"


def open_embedder(preset: str | os.PathLike, **options: Any) -> AudioEmbedder:
    """The embedder of a preset, or of its architecture with random weights.

    Args:
        preset: what `AudioEmbedder.from_preset` takes; or `random:PRESET`, or
            `random:PRESET:SEED`, for random weights, the same on every backend. The default seed
            is 0.
        **options: arguments of `AudioEmbedder`.

    Raises:
        ValueError: an unknown preset, one whose weights are not available, or a bad seed.

    Example:

    ```python
    from keras_axlstm.models.open_embedder import open_embedder

    embedder = open_embedder("random:axlstm_tiny")
    ```
    """
    preset = os.fspath(preset)
    if not preset.startswith(RANDOM_PREFIX):
        return AudioEmbedder.from_preset(preset, **options)
    name, seed = _split_seed(preset.removeprefix(RANDOM_PREFIX))
    with numpy_random_weights(seed):
        return AudioEmbedder.from_preset(name, load_weights=False, **options)


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
