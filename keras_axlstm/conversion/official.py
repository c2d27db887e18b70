"""The authors' PyTorch checkpoints and state dicts as `MaskedSpectrogramModel`."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from keras_axlstm.conversion import official_axlstm, official_ssast
from keras_axlstm.conversion.errors import CheckpointError
from keras_axlstm.conversion.name_table import (
    OUTER_SIZES_READ_OFF,
    Layout,
    Shape,
    name_table,
    variable_at,
)
from keras_axlstm.conversion.position_check import check_position, has_class_token
from keras_axlstm.conversion.torch_checkpoint import read_torch_checkpoint
from keras_axlstm.models.masked_spectrogram_model import MaskedSpectrogramModel

_POSITION = "pos_embed"


def load_official_checkpoint(
    path: str | os.PathLike[str],
    spectrogram_shape: tuple[int, int] = (200, 80),
    flip: bool = True,
) -> MaskedSpectrogramModel:
    """Loads a checkpoint of the authors' (AxLSTM or SSAST), without PyTorch.

    The file is read as data: no pickled code runs, and a file that holds anything but tensors and
    plain settings is refused.

    Args:
        path: a `.pth` file as the authors' training script writes it, or a file with the state
            dict alone.
        spectrogram_shape: `(time, frequency)` the model was trained on.
        flip: whether every second AxLSTM block reads the sequence backwards: the weights do not
            tell. True for the authors' released checkpoints, False for the paper's default. Means
            nothing to SSAST.

    Returns:
        A `MaskedSpectrogramModel`; width, depth, expansion and patch size are read off the shapes.

    Raises:
        CheckpointError: the file cannot be read or is refused, or its weights do not fit.

    Example:

    ```python
    from keras_axlstm.conversion import load_official_checkpoint

    model = load_official_checkpoint("checkpoint-99.pth")
    model.encoder.save_to_preset("axlstm_from_authors")
    ```
    """
    checkpoint = read_torch_checkpoint(path)
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("model"), dict):
        checkpoint = checkpoint["model"]
    try:
        return from_official_state_dict(checkpoint, spectrogram_shape, flip)
    except CheckpointError as error:
        raise CheckpointError(f"Cannot convert {path}: {error}") from error


def from_official_state_dict(
    state_dict: Mapping[str, Any],
    spectrogram_shape: tuple[int, int] = (200, 80),
    flip: bool = True,
    num_heads: int | None = None,
) -> MaskedSpectrogramModel:
    """Builds the model of one of the authors' state dicts (AxLSTM or SSAST).

    Args:
        state_dict: all weights by their PyTorch names (a leading `module.` is dropped), as NumPy
            arrays or anything `np.asarray` takes.
        spectrogram_shape: `(time, frequency)` the model was trained on.
        flip: as in `load_official_checkpoint`.
        num_heads: for SSAST only, whose weights do not tell; default `hidden_dim // 64`.

    Returns:
        A `MaskedSpectrogramModel`; width, depth, expansion and patch size are read off the shapes.

    Raises:
        CheckpointError: missing or unexpected names, wrong shapes, values that are not finite (one
            error lists all), or a `pos_embed` made for another `spectrogram_shape`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.conversion import from_official_state_dict

    with np.load("weights.npz") as weights:
        model = from_official_state_dict(dict(weights))
    ```
    """
    arrays = _as_arrays(state_dict)
    layout = _recognise(arrays)
    num_layers = _num_layers(arrays)
    use_class_token = has_class_token(arrays.get(_POSITION))
    weights = name_table(layout, num_layers, use_class_token)
    shapes = {_POSITION: (1, "tokens", "D"), **{w.source: w.shape for w in weights}}
    sizes = _read_sizes(arrays, shapes, layout)
    _check_weights(arrays, shapes, sizes, f"{layout.model} with {num_layers} blocks")

    patch_size = (sizes["PT"], sizes["PF"])
    check_position(arrays[_POSITION], spectrogram_shape, patch_size, use_class_token)
    if layout is official_axlstm.AXLSTM:
        if num_heads is not None and num_heads != sizes["NH"]:
            raise CheckpointError(
                f"This AxLSTM has {sizes['NH']} heads, read off its gates. Received: "
                f"num_heads={num_heads}. Leave it out."
            )
        encoder = official_axlstm.new_encoder(
            sizes, num_layers, spectrogram_shape, use_class_token, flip
        )
    else:
        encoder = official_ssast.new_encoder(
            sizes, num_layers, spectrogram_shape, use_class_token, num_heads
        )
    model = MaskedSpectrogramModel(encoder)
    for weight in weights:
        # A copy: JAX may go on using the memory of the array it is given.
        value = weight.convert(arrays[weight.source]).copy()
        variable_at(model, weight.target).assign(value)
    return model


def _as_arrays(state_dict: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(state_dict, Mapping) or not all(isinstance(n, str) for n in state_dict):
        raise CheckpointError(
            "Expected a state dict that maps names to arrays. Received: "
            f"{type(state_dict).__name__}"
        )
    arrays = {}
    for name, value in state_dict.items():
        try:
            arrays[name] = np.asarray(value, dtype="float32")
        except (TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"Expected an array under {name!r}, received {type(value).__name__} ({error}). "
                "Pass the state dict alone, not the whole checkpoint; turn PyTorch tensors on a "
                "GPU or in bfloat16 into arrays with .detach().cpu().float().numpy()."
            ) from error
    if arrays and all(name.startswith("module.") for name in arrays):
        return {name.removeprefix("module."): array for name, array in arrays.items()}
    return arrays


def _recognise(names: Iterable[str]) -> Layout:
    for layout in (official_axlstm.AXLSTM, official_ssast.SSAST):
        if any(name.startswith("blocks.") and layout.mark in name for name in names):
            return layout
    raise CheckpointError(
        "Expected the authors' names for AxLSTM ('blocks.0.layer.proj_up.weight', ...) or SSAST "
        "('blocks.0.attn.qkv_layer.weight', ...). "
        f"Received: {', '.join(list(names)[:5]) or 'no names at all'}"
    )


def _num_layers(names: Iterable[str]) -> int:
    """One more than the largest block number, within reason."""
    matches = [re.match(r"blocks\.(\d{1,9})\.", name) for name in names]
    numbers = [int(match[1]) for match in matches if match]
    return min(max(numbers, default=0) + 1, len(matches))


def _read_sizes(
    arrays: Mapping[str, np.ndarray], shapes: Mapping[str, Shape], layout: Layout
) -> dict[str, int]:
    """All sizes by the letters of the tables, without those whose weight is missing or odd."""
    sizes = {}
    for size, (name, axis) in {**OUTER_SIZES_READ_OFF, **layout.sizes_read_off}.items():
        if name in arrays and arrays[name].ndim == len(shapes[name]) and arrays[name].size:
            sizes[size] = arrays[name].shape[axis]
    if {"PT", "PF"} <= sizes.keys():
        sizes["P"] = sizes["PT"] * sizes["PF"]
    return sizes | layout.derived_sizes(sizes)


def _check_weights(
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, Shape],
    sizes: Mapping[str, int],
    model: str,
) -> None:
    """Raise one error that lists everything that does not fit."""
    problems = [f"missing: {name}" for name in shapes if name not in arrays]
    problems += [f"unexpected: {name}" for name in arrays if name not in shapes]
    for name, symbols in shapes.items():
        if name not in arrays:
            continue
        received = arrays[name].shape
        expected = tuple(s if isinstance(s, int) else sizes.get(s, s) for s in symbols)
        fits = len(received) == len(expected) and all(
            r == e if isinstance(e, int) else r > 0 for r, e in zip(received, expected, strict=True)
        )
        if not fits:
            problems.append(f"wrong shape: {name}: expected {expected}, received {received}")
        elif not np.isfinite(arrays[name]).all():
            problems.append(f"not finite: {name} holds NaN or infinite values")
    if problems:
        listed = "\n  ".join(problems)
        raise CheckpointError(f"The state dict does not fit {model} (read off it):\n  {listed}")
