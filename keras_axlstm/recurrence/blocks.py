"""What the parallel and the chunkwise form share: the steps of a block among themselves.

Both cut time into N blocks of L steps. A row of a block reads the columns of its own block
through an (L, L) tile, and everything earlier through one vector per row that the two forms
compute differently: from all earlier keys, or from a state.
"""

from typing import NamedTuple

import keras
from keras import ops

from keras_axlstm.recurrence.gates import (
    LOWEST,
    SHUT,
    BlockGates,
    block_gates,
    log_weights,
    merge_blocks,
    normalize,
    split_blocks,
)


class Blocks(NamedTuple):
    """A sequence cut into blocks."""

    query: keras.KerasTensor  # (B, NH, N, L, DH)
    key: keras.KerasTensor  # (B, NH, N, L, DH)
    value: keras.KerasTensor  # (B, NH, N, L, DH)
    gates: BlockGates


class Readout(NamedTuple):
    """What rows read, before normalisation; float32."""

    numerator: keras.KerasTensor  # (B, NH, N, L, DH)
    denominator: keras.KerasTensor  # (B, NH, N, L)


def split(query, key, value, log_i, log_f, length: int) -> Blocks:
    """Blocks of L steps; what fills up the last block has a shut input gate and decays nothing."""
    gates = block_gates(split_blocks(log_i, length, SHUT), split_blocks(log_f, length))
    return Blocks(
        split_blocks(query, length), split_blocks(key, length), split_blocks(value, length), gates
    )


def weigh(scores: keras.KerasTensor, weights: keras.KerasTensor, value: keras.KerasTensor):
    """Readout of `value` through `scores * weights`; the sum over columns stays in float32."""
    scores = ops.cast(scores, "float32") * weights
    numerator = ops.matmul(ops.cast(scores, value.dtype), value)
    return Readout(ops.cast(numerator, "float32"), ops.sum(scores, axis=-1))


def combine(
    blocks: Blocks,
    earlier: Readout,  # scaled by exp(-state_m)
    state_m: keras.KerasTensor,  # (B, NH, N) m at the start of each block
    steps: int | keras.KerasTensor,
) -> keras.KerasTensor:
    """h (B, NH, S, DH) float32 from the steps of each block and everything earlier."""
    tile = log_weights(blocks.gates)
    at_row = blocks.gates.decay + ops.expand_dims(state_m, -1)
    m = ops.maximum(ops.maximum(ops.max(tile, axis=-1), at_row), LOWEST)

    scale = blocks.query.shape[-1] ** -0.5
    scores = ops.matmul(blocks.query, ops.swapaxes(blocks.key, -1, -2))
    within = weigh(scores, ops.exp(tile - ops.expand_dims(m, -1)) * scale, blocks.value)
    weight = ops.exp(at_row - m)
    numerator = within.numerator + ops.expand_dims(weight, -1) * earlier.numerator
    denominator = within.denominator + weight * earlier.denominator
    return merge_blocks(normalize(numerator, denominator, m), steps)
