"""The three functions of the HEAR 2021 API."""

import importlib
import importlib.util
import os
from typing import Any

import keras

from keras_axlstm.hear.hear_model import HearModel
from keras_axlstm.models.open_embedder import open_embedder

DEFAULT_PRESET = "axlstm_tiny"
# Each library's module, in the order in which they are taken where the backend is neither.
MODULES = {
    "torch": ("keras_axlstm.hear.torch_hear_model", "TorchHearModel"),
    "tensorflow": ("keras_axlstm.hear.tensorflow_hear_model", "TensorFlowHearModel"),
}


def load_model(model_file_path: str | os.PathLike = "", **options: Any) -> Any:
    """A preset as a model of the HEAR 2021 API.

    Args:
        model_file_path: a preset's name or folder, or `random:PRESET` for random weights. Default:
            `axlstm_tiny`.
        **options: arguments of `AudioEmbedder`, such as `normalization` or `one_pass`.

    Returns:
        A `torch.nn.Module` on the backend torch, a `tf.Module` on TensorFlow. On JAX, which HEAR
        does not know, a `torch.nn.Module` if PyTorch is installed, else a `tf.Module`: the
        embeddings are computed in JAX and converted. It has the attributes `sample_rate`,
        `scene_embedding_size` and `timestamp_embedding_size`.

    Raises:
        ValueError: an unknown preset, or one whose weights are not available.
        ImportError: the backend is JAX and neither PyTorch nor TensorFlow is installed.

    Example:

    ```python
    import keras_axlstm.hear

    model = keras_axlstm.hear.load_model("random:axlstm_tiny")
    model.sample_rate, model.scene_embedding_size  # (16000, 960)
    ```
    """
    module, name = MODULES[_tensor_library()]
    hear_model = getattr(importlib.import_module(module), name)
    return hear_model(open_embedder(model_file_path or DEFAULT_PRESET, **options))


def get_scene_embeddings(audio: Any, model: Any) -> Any:
    """One embedding a clip.

    Args:
        audio: `(clips, samples)` in [-1, 1] at `model.sample_rate`, a tensor.
        model: of `load_model`.

    Returns:
        `(clips, model.scene_embedding_size)` float32, a tensor of the model's library. In PyTorch
        it is on the device of `audio`, without gradients.

    Raises:
        ValueError: audio that is empty, not finite or of another rank, or a model of others.

    Example:

    ```python
    import keras
    import keras_axlstm.hear

    model = keras_axlstm.hear.load_model("random:axlstm_tiny")
    audio = keras.random.uniform((2, 16000), -1.0, 1.0)
    keras_axlstm.hear.get_scene_embeddings(audio, model).shape  # (2, 960)
    ```
    """
    return _checked(model).scene_embeddings(audio)


def get_timestamp_embeddings(audio: Any, model: Any) -> tuple[Any, Any]:
    """One embedding a frame, every 40 ms with patches of 4 frames.

    Args:
        audio: as for `get_scene_embeddings`.
        model: of `load_model`.

    Returns:
        embeddings: `(clips, t, model.timestamp_embedding_size)` float32.
        timestamps: `(clips, t)` float32, where every frame starts, in milliseconds.

    Raises:
        ValueError: as `get_scene_embeddings`.

    Example:

    ```python
    import keras
    import keras_axlstm.hear

    model = keras_axlstm.hear.load_model("random:axlstm_tiny")
    audio = keras.random.uniform((2, 16000), -1.0, 1.0)
    frames, times_ms = keras_axlstm.hear.get_timestamp_embeddings(audio, model)
    frames.shape, times_ms.shape  # (2, 26, 960), (2, 26)
    ```
    """
    return _checked(model).timestamp_embeddings(audio)


def _tensor_library() -> str:
    backend = keras.config.backend()
    for library in (backend, *MODULES):
        if library in MODULES and importlib.util.find_spec(library):
            return library
    raise ImportError(
        f"HEAR knows tensors of PyTorch and TensorFlow, the backend is {backend}, and neither is "
        "installed: pip install 'keras-axlstm[torch]' or 'keras-axlstm[tensorflow]'."
    )


def _checked(model: Any) -> HearModel:
    if not isinstance(model, HearModel):
        raise ValueError(
            "`model` must be what `keras_axlstm.hear.load_model` returned. "
            f"Received: {type(model).__name__}"
        )
    return model
