"""Chunkwise form: linear in time, for long sequences.

A light scan carries the state from block to block; everything heavy runs for all blocks at once.
README.md has the derivation.
"""

import keras
from keras import ops

from keras_axlstm.recurrence.blocks import Readout, combine, split
from keras_axlstm.recurrence.reference import State


def mlstm_chunkwise(
    query: keras.KerasTensor,  # (B, NH, S, DH)
    key: keras.KerasTensor,  # (B, NH, S, DH)
    value: keras.KerasTensor,  # (B, NH, S, DH)
    log_i: keras.KerasTensor,  # (B, NH, S)
    log_f: keras.KerasTensor,  # (B, NH, S)
    state: State,
    chunk_size: int,
) -> tuple[keras.KerasTensor, State]:
    """h (B, NH, S, DH) float32 and the last state. S may be dynamic."""
    steps, head_dim = ops.shape(query)[2:]
    if isinstance(steps, int):
        chunk_size = min(chunk_size, steps)
    blocks = split(query, key, value, log_i, log_f, chunk_size)
    gates = blocks.gates

    # What each block alone would leave in an empty memory at its end, scaled by exp(-state_max).
    weights = ops.exp(gates.at_end - ops.expand_dims(gates.state_max, -1)) * head_dim**-0.5
    keys = ops.cast(blocks.key, "float32") * ops.expand_dims(weights, -1)
    transposed = ops.cast(ops.swapaxes(keys, -1, -2), value.dtype)
    C_blocks = ops.cast(ops.matmul(transposed, blocks.value), "float32")  # key x value
    n_blocks = ops.sum(keys, axis=-2)

    def next_block(carry, block):
        C, n, m = carry
        C_block, n_block, total_decay, state_max = block
        new_m = ops.maximum(m + total_decay, state_max)
        old = ops.expand_dims(ops.exp(m + total_decay - new_m), -1)
        new = ops.expand_dims(ops.exp(state_max - new_m), -1)
        new_C = ops.expand_dims(old, -1) * C + ops.expand_dims(new, -1) * C_block
        return (new_C, old * n + new * n_block, new_m), carry

    C, n, m = state
    xs = (C_blocks, n_blocks, gates.total_decay, gates.state_max)
    last, starts = ops.scan(
        next_block,
        (ops.swapaxes(C, -1, -2), n, m),
        tuple(ops.moveaxis(x, 2, 0) for x in xs),
    )
    C_start, n_start, m_start = (ops.moveaxis(x, 0, 2) for x in starts)

    numerator = ops.matmul(blocks.query, ops.cast(C_start, query.dtype))
    denominator = ops.sum(ops.cast(blocks.query, "float32") * ops.expand_dims(n_start, -2), axis=-1)
    earlier = Readout(ops.cast(numerator, "float32"), denominator)
    h = combine(blocks, earlier, m_start, steps)
    return h, (ops.swapaxes(last[0], -1, -2), last[1], last[2])
