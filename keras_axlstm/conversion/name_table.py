"""How one weight of the authors' PyTorch models becomes one of ours."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


def unchanged(weight: np.ndarray) -> np.ndarray:
    return weight


def transposed(weight: np.ndarray) -> np.ndarray:
    """`(out, in)` of a PyTorch linear layer -> `(in, out)` of a Keras kernel, groups in front."""
    return np.swapaxes(weight, -1, -2)


def flat_patches(weight: np.ndarray) -> np.ndarray:
    """Convolution kernel `(D, 1, time, frequency)` -> `(time * frequency, D)`, time-major."""
    return weight.reshape(weight.shape[0], -1).T


def taps_first(weight: np.ndarray) -> np.ndarray:
    """Depthwise kernel `(channels, 1, taps)` -> `(taps, channels)`, oldest tap first in both."""
    return weight[:, 0].T


# A string is the name of a size that is read off the checkpoint.
Shape = tuple[int | str, ...]


class Weight(NamedTuple):
    """A row of a name table: a PyTorch weight and the Keras variable made from it.

    `shape` is PyTorch's. `target` is the attribute path of the variable, starting at the model or,
    in a table of block weights, at the block. A weight that is split has a row for each part.
    """

    source: str
    shape: Shape
    target: str
    convert: Callable[[np.ndarray], np.ndarray] = unchanged


class Layout(NamedTuple):
    """What tells the checkpoints of one of the authors' models apart, and their block weights."""

    model: str
    mark: str  # Part of the name of weights that every block of this model has, and no other's.
    block_weights: tuple[Weight, ...]  # Without the leading "blocks.N.".
    sizes_read_off: Mapping[str, tuple[str, int]]  # Size -> the weight and axis that tell it.
    derived_sizes: Callable[[Mapping[str, int]], dict[str, int]]


# Everything outside the blocks: the same in AxLSTM and SSAST.
CLASS_TOKEN = Weight("cls_token", (1, 1, "D"), "encoder.class_token.token")
OUTER_WEIGHTS = (
    Weight(
        "patch_embed.proj.weight",
        ("D", 1, "PT", "PF"),
        "encoder.patch_embedding.projection.kernel",
        flat_patches,
    ),
    Weight("patch_embed.proj.bias", ("D",), "encoder.patch_embedding.projection.bias"),
    Weight("mask_token", (1, 1, "D"), "masking.mask_token"),
    Weight("encoder_norm.weight", ("D",), "encoder.norm.gamma"),
    Weight("encoder_norm.bias", ("D",), "encoder.norm.beta"),
    Weight("pred.0.weight", ("D", "D"), "head.hidden.kernel", transposed),
    Weight("pred.0.bias", ("D",), "head.hidden.bias"),
    Weight("pred.2.weight", ("P", "D"), "head.projection.kernel", transposed),
    Weight("pred.2.bias", ("P",), "head.projection.bias"),
)
OUTER_SIZES_READ_OFF = {
    "D": ("patch_embed.proj.weight", 0),
    "PT": ("patch_embed.proj.weight", 2),
    "PF": ("patch_embed.proj.weight", 3),
}


def name_table(layout: Layout, num_layers: int, use_class_token: bool = True) -> list[Weight]:
    """The rows of a whole model."""
    blocks = [
        weight._replace(
            source=f"blocks.{block}.{weight.source}",
            target=f"encoder.blocks.{block}.{weight.target}",
        )
        for block in range(num_layers)
        for weight in layout.block_weights
    ]
    return [*([CLASS_TOKEN] if use_class_token else []), *OUTER_WEIGHTS, *blocks]


def variable_at(model: Any, path: str) -> Any:
    """The variable at an attribute path such as `encoder.blocks.3.norm.scale`."""
    for step in path.split("."):
        model = model[int(step)] if step.isdigit() else getattr(model, step)
    return model
