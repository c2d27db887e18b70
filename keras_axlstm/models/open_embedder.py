"""An embedder by name, also of random weights."""

import os
from typing import Any

from keras_axlstm.models.audio_embedder import AudioEmbedder
from keras_axlstm.models.open_preset import open_preset


def open_embedder(preset: str | os.PathLike, **options: Any) -> AudioEmbedder:
    """The embedder of a preset, or of its architecture with random weights.

    Args:
        preset: what `open_preset` takes.
        **options: arguments of `AudioEmbedder`.

    Raises:
        ValueError: an unknown preset, one whose weights are not available, or a bad seed.

    Example:

    ```python
    from keras_axlstm.models.open_embedder import open_embedder

    embedder = open_embedder("random:axlstm_tiny")
    ```
    """
    return open_preset(AudioEmbedder, preset, **options)
