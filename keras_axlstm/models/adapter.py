"""What fine-tuning adds to an encoder that stays as it was, in a small file of its own."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_axlstm.files import write_aside
from keras_axlstm.models.architecture import architecture

ADAPTER_SUFFIX = ".npz"
# Arguments of a classifier that its new layers follow from.
OPTIONS = ("num_classes", "class_names", "multi_label", "pooling", "activation")
_FORMAT = "keras_axlstm adapter 1"
# Of a layer with low-rank updates: all else in it, a bias too, is trained.
_KEPT = "kernel"
# Values of each weight that are compared, and how far half precision may put them off.
_SAMPLES, _TOLERANCE = 16, 1e-2


def save_adapter(classifier: Any, path: str | os.PathLike, overwrite: bool = False) -> None:
    """See `AudioClassifier.save_adapter`."""
    _check_suffix(path)
    backbone = classifier.backbone
    layers = _lora_layers(backbone)
    if not layers and backbone.trainable_variables:
        raise ValueError(
            "An adapter goes with an encoder that stays as it was. Received: a classifier whose "
            "encoder is trained. Set `classifier.backbone.trainable = False`, or call "
            "`classifier.backbone.enable_lora(rank)`, before the training; or save the whole with "
            "`save_to_preset`."
        )
    names = sorted({layer.name for layer in layers})
    about = {
        "format": _FORMAT,
        "encoder": architecture(backbone),
        "options": _options(classifier),
        "lora_rank": backbone._lora_rank if layers else None,
        "lora_layers": names,
    }
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(about)),
        "sample": _sample(backbone, names),
    }
    for name, weight in _new_weights(classifier).items():
        arrays[name] = keras.ops.convert_to_numpy(weight)
    with write_aside(path, overwrite) as unfinished, open(unfinished, "wb") as file:
        np.savez(file, **arrays)


def load_adapter(classifier: Any, path: str | os.PathLike) -> None:
    """See `AudioClassifier.load_adapter`."""
    about, arrays = _read(path)
    backbone = classifier.backbone
    _check_encoder(path, about, arrays.pop("sample"), backbone)
    if others := _differences(about["options"], _options(classifier)):
        raise ValueError(
            f"{path} was saved from a classifier with other arguments: {others}. Open it with "
            "`AudioClassifier.from_preset(preset, adapter=path)`."
        )
    rank, names = about["lora_rank"], about["lora_layers"]
    enabled = _lora_layers(backbone)
    present = (backbone._lora_rank, sorted({layer.name for layer in enabled})) if enabled else None
    if present is not None and present != (rank, names):
        raise ValueError(
            f"{path} holds low-rank updates of rank {rank} for {names}. Received: an encoder with "
            f"rank {present[0]} for {present[1]}. Load it before `enable_lora`."
        )
    if rank is not None and present is None:
        backbone.enable_lora(rank, target_layer_names=names)
        _compile_anew(classifier)
    weights = _new_weights(classifier)
    shapes = {name: list(weight.shape) for name, weight in weights.items()}
    found = {name: list(array.shape) for name, array in arrays.items()}
    if others := _differences(found, shapes):
        raise ValueError(f"{path} holds other weights than this classifier has: {others}")
    for name, weight in weights.items():
        weight.assign(arrays[name])


def adapter_options(path: str | os.PathLike) -> dict[str, Any]:
    """Arguments of the classifier that an adapter was saved from."""
    return dict(_read(path)[0]["options"])


def _read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    _check_suffix(path)
    if not Path(path).is_file():
        raise ValueError(f"Expected a file that `save_adapter` wrote. Received: no file, {path}")
    try:
        # Opened here: NumPy leaves what it cannot read open.
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = dict(file)
        about = json.loads(str(arrays.pop("about")))
        if about["format"] == _FORMAT and "sample" in arrays:
            return about, arrays
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        # Said below: whatever it is, it is not one of ours.
        pass
    raise ValueError(
        f"Expected a file that `save_adapter` wrote. Received: {path}, which is damaged or of "
        "another kind"
    )


def _check_suffix(path: str | os.PathLike) -> None:
    if Path(path).suffix != ADAPTER_SUFFIX:
        raise ValueError(f"The file of an adapter must end in {ADAPTER_SUFFIX}. Received: {path}")


def _check_encoder(
    path: str | os.PathLike, about: dict[str, Any], sample: np.ndarray, backbone: Any
) -> None:
    if others := _differences(about["encoder"], architecture(backbone)):
        raise ValueError(f"{path} belongs to an encoder of other sizes: {others}")
    own = _sample(backbone, about["lora_layers"])
    if own.shape != sample.shape or not np.allclose(own, sample, rtol=_TOLERANCE, atol=1e-6):
        raise ValueError(
            f"{path} belongs to an encoder of the same sizes with other weights. Load the preset "
            "that the training began with."
        )


def _options(classifier: Any) -> dict[str, Any]:
    options = {name: getattr(classifier, name) for name in OPTIONS}
    # "auto" stands for one of the others.
    options["activation"] = keras.activations.serialize(classifier.output_dense.activation)
    return options


def _differences(stored: dict[str, Any], own: dict[str, Any]) -> str:
    return "; ".join(
        f"{name} is {stored.get(name)!r} in the file and {own.get(name)!r} here"
        for name in sorted(stored.keys() | own.keys())
        if stored.get(name) != own.get(name)
    )


def _lora_layers(backbone: Any) -> list[Any]:
    layers = backbone._flatten_layers(include_self=False)
    return [layer for layer in layers if getattr(layer, "lora_enabled", False)]


def _new_weights(classifier: Any) -> dict[str, Any]:
    """The weights of the adapter by name."""
    head = [*classifier.pooler.weights, *classifier.output_dense.weights]
    weights = {f"head/{i}": weight for i, weight in enumerate(head)}
    # Names of layers repeat from block to block; their order does not change.
    for i, layer in enumerate(_lora_layers(classifier.backbone)):
        weights |= {f"lora/{i}/{w.name}": w for w in layer.weights if w.name != _KEPT}
    return weights


def _sample(backbone: Any, lora_layers: list[str]) -> np.ndarray:
    """A few values of each weight that stays as it was, float32, in the order of their paths."""
    samples = []
    for weight in sorted(backbone.weights, key=lambda weight: weight.path):
        *_, layer, name = weight.path.split("/")
        if layer not in lora_layers or name == _KEPT:
            values = keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32")).ravel()
            samples.append(values[:: max(1, values.size // _SAMPLES)][:_SAMPLES])
    return np.concatenate(samples)


def _compile_anew(classifier: Any) -> None:
    """Let Keras forget functions that it compiled without the new weights."""
    classifier.train_function = classifier.test_function = classifier.predict_function = None
    if classifier.compiled:
        classifier.compile_from_config(classifier.get_compile_config())
