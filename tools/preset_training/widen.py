"""A wider model that computes what a narrower one does, to begin a training with.

After Chen, Goodfellow, Shlens, "Net2Net: accelerating learning via knowledge transfer", 2016: each
channel is copied, and what reads the copies shares its weights among them.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from preset_training.piece import WIDENED_FILE

if TYPE_CHECKING:
    from keras_axlstm.models import MaskedSpectrogramModel

# Channels of the projections' groups inside a block, which are copied whole.
GROUP = 4


class Axis(NamedTuple):
    """How an axis of a weight grows.

    Args:
        group: neighbouring channels that are copied together.
        reads: whether what the axis runs over is read here, so that copies share the weight.
    """

    group: int
    reads: bool


KEPT = None
WRITES, READS = Axis(1, False), Axis(1, True)
WRITES_INSIDE, READS_INSIDE = Axis(GROUP, False), Axis(GROUP, True)
# By the end of the weight's path. The first that fits.
AXES: dict[str, tuple[Axis | None, ...]] = {
    r"patch_embedding/projection/kernel": (KEPT, WRITES),
    r"patch_embedding/projection/bias": (WRITES,),
    r"(class_token/token|masking/mask_token)": (KEPT, KEPT, WRITES),
    r"up_projection/kernel": (READS, WRITES_INSIDE),
    r"convolution/kernel": (KEPT, WRITES_INSIDE),
    r"(convolution/bias|skip|mlstm/norm/scale)": (WRITES_INSIDE,),
    r"(query|key|value)_projection/kernel": (WRITES, KEPT, KEPT),
    r"gate_kernel": (READS_INSIDE, KEPT),
    r"gate_bias": (KEPT,),
    r"down_projection/kernel": (READS_INSIDE, WRITES),
    r"norm/(scale|gamma|beta)": (WRITES,),
    r"head/hidden/kernel": (READS, WRITES),
    r"head/hidden/bias": (WRITES,),
    r"head/projection/kernel": (READS, KEPT),
    r"head/projection/bias": (KEPT,),
}


def widen_preset(narrow: str, wide: str, output: Path, seed: int = 0) -> None:
    """Write a preset of the architecture of `wide` that computes what `narrow` does.

    Args:
        narrow: name or folder of an AxLSTM preset with weights and reconstruction head.
        wide: name of a built-in preset, or folder of one; its weights do not count.
        output: folder to write.
        seed: see `widen`.

    Raises:
        ValueError: see `widen`; an unknown preset, or one without what is needed.
        FileExistsError: `output` exists.
    """
    from keras_axlstm.files import write_aside
    from keras_axlstm.models import MaskedSpectrogramModel, SpectrogramEncoder
    from keras_axlstm.models.save_preset import save_preset
    from keras_axlstm.training.initial_weights import initial_dynamic_range

    if output.exists():
        raise FileExistsError(f"{output} exists already: name another folder.")
    with write_aside(output) as folder:
        source = MaskedSpectrogramModel.from_preset(narrow)
        target = MaskedSpectrogramModel(SpectrogramEncoder.from_preset(wide, load_weights=False))
        widen(source, target, seed)
        folder.mkdir()
        save_preset(target, folder, "clip", initial_dynamic_range(narrow))
        name = json.dumps({"from": Path(narrow).name})
        (folder / WIDENED_FILE).write_text(name + "\n", encoding="utf-8")


def widen(narrow: "MaskedSpectrogramModel", wide: "MaskedSpectrogramModel", seed: int = 0) -> None:
    """Give a wide AxLSTM the weights of a narrow one.

    Position apart the output is the same, every channel of it copied. The positions of a wider
    model have the rates of the narrow one and others between them: the first of the copies of a
    channel has that of the narrow one, and is the one that is read.

    Args:
        narrow: a trained model.
        wide: of a `hidden_dim` that is a multiple of it, else the same.
        seed: of how copies inside a block share, so that they do not learn the same.

    Raises:
        ValueError: another model than AxLSTM, other differences than the width, or widths that
            are not multiples.
    """
    factor = _factor(narrow, wide)
    rng = np.random.default_rng(seed)
    for old, new in zip(narrow.trainable_weights, wide.trainable_weights, strict=True):
        new.assign(_widened(old.path, np.array(old), factor, rng))


def _factor(narrow: "MaskedSpectrogramModel", wide: "MaskedSpectrogramModel") -> int:
    from keras_axlstm.models import AxLSTMEncoder
    from keras_axlstm.models.architecture import architecture

    if not isinstance(narrow.encoder, AxLSTMEncoder):
        raise ValueError(f"Expected an AxLSTM. Received: {type(narrow.encoder).__name__}")
    old, new = architecture(narrow.encoder), architecture(wide.encoder)
    widths = old.pop("hidden_dim"), new.pop("hidden_dim")
    if old != new or widths[1] % widths[0]:
        raise ValueError(
            f"Expected the same architecture and a multiple of hidden_dim {widths[0]}. "
            f"Received: {new | {'hidden_dim': widths[1]}}, to be widened from {old}"
        )
    return widths[1] // widths[0]


def _widened(path: str, array: np.ndarray, factor: int, rng: np.random.Generator) -> np.ndarray:
    axes = next(axes for end, axes in AXES.items() if re.search(f"{end}$", path))
    for number, axis in enumerate(axes):
        if axis is not None:
            array = _copied(array, number, axis, factor, rng)
    # Twice the channels make the product of query and key twice as large, and its scale, of their
    # number to the power of -1/2, less small.
    if path.endswith("query_projection/kernel"):
        array = array / factor**0.5
    if path.endswith("gate_kernel"):
        array[: len(array) // 3] *= factor**0.5
    return array


def _copied(
    array: np.ndarray, number: int, axis: Axis, factor: int, rng: np.random.Generator
) -> np.ndarray:
    channels = array.shape[number]
    new = np.arange(channels * factor)
    old = new // (axis.group * factor) * axis.group + new % axis.group
    array = array.take(old, axis=number)
    if not axis.reads:
        return array
    if axis.group == 1:
        shares = np.eye(1, factor).repeat(channels, axis=0)
    else:
        shares = rng.uniform(0.5, 1.5, (channels, factor))
        shares /= shares.sum(axis=1, keepdims=True)
    share = shares[old, new // axis.group % factor]
    return array * np.expand_dims(share, tuple(i for i in range(array.ndim) if i != number))
