"""Gates of the mLSTM recurrence in log space.

Shapes: B batch, S time, NH heads, N blocks, L steps of a block.
Everything here is float32: a bfloat16 cumulative sum is off by one after some hundred steps.
"""

from typing import NamedTuple

import keras
from keras import ops

# log of a gate that is shut: exp(SHUT - anything that occurs) is exactly 0.
SHUT = -1e30
# m of an empty memory. Finite, so that differences of two of them are 0 instead of NaN,
# and far above SHUT, so that a shut gate adds nothing to an empty memory.
EMPTY = -1e15
# exp(-m) is bounded by using max(m, LOWEST) as stabiliser; the output does not depend on it.
LOWEST = -10.0
EPSILON = 1e-6


def log_sigmoid(x: keras.KerasTensor) -> keras.KerasTensor:
    """log(sigmoid(x)) that is x, not -inf, for very negative x."""
    return -ops.softplus(-x)


def log_gate(preactivation: keras.KerasTensor, activation: str) -> keras.KerasTensor:
    """Log of a gate from its pre-activation, float32."""
    preactivation = ops.cast(preactivation, "float32")
    return log_sigmoid(preactivation) if activation == "sigmoid" else preactivation


def normalize(
    numerator: keras.KerasTensor, denominator: keras.KerasTensor, m: keras.KerasTensor
) -> keras.KerasTensor:
    """h = numerator / (max(|denominator|, exp(-m)) + 1e-6), all three scaled by exp(-m)."""
    return numerator / ops.expand_dims(ops.maximum(ops.abs(denominator), ops.exp(-m)) + EPSILON, -1)


class BlockGates(NamedTuple):
    """Decay inside blocks of L steps, each relative to the start of its own block.

    Sums never reach across a block, so their float32 rounding does not grow with the sequence.
    Inside, a sum is kept in two parts: multiples of 1/256, which float32 adds without rounding,
    and the rest. The decay between two steps is then exact however large the sums are.
    """

    log_i: keras.KerasTensor  # (B, NH, N, L)
    coarse: keras.KerasTensor  # (B, NH, N, L) sum of log f from the block's start, first part
    fine: keras.KerasTensor  # (B, NH, N, L) second part
    decay: keras.KerasTensor  # (B, NH, N, L) their sum
    total_decay: keras.KerasTensor  # (B, NH, N) decay of the whole block
    at_end: keras.KerasTensor  # (B, NH, N, L) log weight of a step at the end of its block
    state_max: keras.KerasTensor  # (B, NH, N) maximum of at_end


def block_gates(log_i: keras.KerasTensor, log_f: keras.KerasTensor) -> BlockGates:
    """Decay of blocks; log_i, log_f (B, NH, N, L)."""
    rounded = ops.stop_gradient(ops.round(log_f * 256.0) / 256.0)
    coarse = ops.cumsum(rounded, axis=-1)
    fine = ops.cumsum(log_f - rounded, axis=-1)
    decay = coarse + fine
    at_end = (coarse[..., -1:] - coarse) + (fine[..., -1:] - fine + log_i)
    return BlockGates(log_i, coarse, fine, decay, decay[..., -1], at_end, ops.max(at_end, axis=-1))


def log_weights(gates: BlockGates) -> keras.KerasTensor:
    """Log weight of column j in row i of the same block, (B, NH, N, L, L); SHUT where j > i."""
    steps = ops.arange(ops.shape(gates.log_i)[-1], dtype="int32")
    causal = ops.expand_dims(steps, 1) >= ops.expand_dims(steps, 0)
    coarse = ops.expand_dims(gates.coarse, -1) - ops.expand_dims(gates.coarse, -2)
    fine = ops.expand_dims(gates.fine, -1) + ops.expand_dims(gates.log_i - gates.fine, -2)
    return ops.where(causal, coarse + fine, SHUT)


def split_blocks(x: keras.KerasTensor, length: int, fill: float = 0.0) -> keras.KerasTensor:
    """(B, NH, S, ...) to (B, NH, N, L, ...), the last block filled up. S may be dynamic."""
    batch, heads, steps, *rest = ops.shape(x)
    blocks = (steps + length - 1) // length
    missing = blocks * length - steps
    if not isinstance(missing, int) or missing:
        padding = ops.full((batch, heads, missing, *rest), fill, dtype=x.dtype)
        x = ops.concatenate([x, padding], axis=2)
    return ops.reshape(x, (batch, heads, blocks, length, *rest))


def merge_blocks(x: keras.KerasTensor, steps: int | keras.KerasTensor) -> keras.KerasTensor:
    """Inverse of `split_blocks`: (B, NH, N, L, ...) to (B, NH, S, ...)."""
    batch, heads, blocks, length, *rest = ops.shape(x)
    return ops.reshape(x, (batch, heads, blocks * length, *rest))[:, :, :steps]
