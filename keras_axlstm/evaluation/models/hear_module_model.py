import importlib
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models.equal_lengths import map_equal_lengths
from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.evaluation.models.identity import hash_of_path, identity_of
from keras_axlstm.evaluation.models.tensor_libraries import TensorFlowTensors, TorchTensors

FUNCTIONS = ("load_model", "get_scene_embeddings", "get_timestamp_embeddings")
SIZES = ("sample_rate", "scene_embedding_size", "timestamp_embedding_size")


class HearModuleModel(EvaluationModel):
    """A model behind the HEAR 2021 API, of PyTorch or TensorFlow.

    PyTorch models are moved to the GPU if there is one. Audio is resampled to the model's rate.

    Args:
        target: `MODULE` or `MODULE:WEIGHTS`: the module to import, and what its `load_model` takes.

    Raises:
        ImportError: the module, or what it needs, is not installed.
        ValueError: the module or its model is not what the API says.
    """

    def __init__(self, target: str) -> None:
        module_name, _, weights = target.partition(":")
        self._module = _import(module_name)
        model = self._module.load_model(weights) if weights else self._module.load_model()
        sizes = _sizes(module_name, model)
        self._tensors = _library_of(module_name, model)
        self._rate = sizes["sample_rate"]
        path = Path(weights)
        settings = {
            "kind": "hear",
            "module": module_name,
            "versions": _versions(module_name),
            "weights": hash_of_path(path) if weights and path.exists() else weights,
            **sizes,
        }
        super().__init__(
            f"hear:{target}",
            identity_of(settings, self._tensors.state()),
            embedding_dim=sizes["scene_embedding_size"],
            frame_dim=sizes["timestamp_embedding_size"],
        )

    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        def compute(batch: np.ndarray) -> Iterable[np.ndarray]:
            return self._tensors.call(self._module.get_scene_embeddings, batch)

        return np.stack(map_equal_lengths(compute, self._resampled(clips)))

    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        def compute(batch: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray]]:
            frames, times_ms = self._tensors.call(self._module.get_timestamp_embeddings, batch)
            return zip(frames, times_ms, strict=True)

        return map_equal_lengths(compute, self._resampled(clips))

    def _resampled(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        return [resample(clip, self.sampling_rate, self._rate) for clip in clips]


def _import(name: str) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"The HEAR module {name} cannot be imported ({error}). Install its package, and give "
            "the name that one would import, such as hear:hear21passt.base"
        ) from error
    missing = [function for function in FUNCTIONS if not hasattr(module, function)]
    if missing:
        raise ValueError(
            f"A HEAR module must have {', '.join(FUNCTIONS)}. Received: {name} without "
            f"{', '.join(missing)}"
        )
    return module


def _sizes(name: str, model: Any) -> dict[str, int]:
    sizes: dict[str, Any] = {size: getattr(model, size, None) for size in SIZES}
    wrong = {
        size: value
        for size, value in sizes.items()
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1
    }
    if wrong:
        raise ValueError(
            f"A HEAR model must have the positive integers {', '.join(SIZES)}. Received: {name} "
            f"with {wrong}"
        )
    return {size: int(value) for size, value in sizes.items()}


def _library_of(name: str, model: Any) -> TorchTensors | TensorFlowTensors:
    """The library that the model is a module of: it has imported it."""
    for library in (TorchTensors, TensorFlowTensors):
        if library.name in sys.modules and library.owns(model):
            return library(model)
    raise ValueError(
        f"A HEAR model must be a torch.nn.Module or a tf.Module. Received: {name} with a "
        f"{type(model).__name__}"
    )


def _versions(name: str) -> dict[str, str]:
    """Versions of the packages that may have installed the module."""
    packages = importlib.metadata.packages_distributions().get(name.partition(".")[0], [])
    return {package: importlib.metadata.version(package) for package in sorted(set(packages))}
