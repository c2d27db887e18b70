"""Chunkwise form: linear in time, for long sequences.

Each chunk is summed up into what it alone would leave in an empty memory; the states between chunks
are weighted sums of these, one small product for all. README.md has the derivation.
"""

import keras
from keras import ops

from keras_axlstm.recurrence.blocks import Readout, combine, split
from keras_axlstm.recurrence.gates import BlockGates, block_gates, log_weights
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

    at_ends, last = _states(C_blocks, n_blocks, gates, state)
    C_start, n_start, m_start = (
        ops.concatenate([ops.expand_dims(first, 2), ends[:, :, :-1]], axis=2)
        for first, ends in zip(_transposed(state), at_ends, strict=True)
    )

    numerator = ops.matmul(blocks.query, ops.cast(C_start, query.dtype))
    # A product, not a sum over query * n_start: XLA's CPU compiler (jaxlib 0.10.2) fuses that
    # sum with the split into chunks and crashes at run time.
    denominator = ops.matmul(ops.cast(blocks.query, "float32"), ops.expand_dims(n_start, -1))
    earlier = Readout(ops.cast(numerator, "float32"), denominator[..., 0])
    return combine(blocks, earlier, m_start, steps), _transposed(last)


def _transposed(state: State) -> State:
    """C from (value x key) to (key x value) and back."""
    C, n, m = state
    return ops.swapaxes(C, -1, -2), n, m


def _states(
    C_blocks: keras.KerasTensor,  # (B, NH, N, DH, DH) key x value
    n_blocks: keras.KerasTensor,  # (B, NH, N, DH)
    gates: BlockGates,
    state: State,
) -> tuple[State, State]:
    """States (C as key x value) at the end of every chunk (B, NH, N, ...), and the last one.

    The recurrence over chunks is that over steps: a chunk has its `state_max` for an input gate
    and its `total_decay` for a forget gate.
    """
    chunk_gates = block_gates(gates.state_max, gates.total_decay)
    tile = log_weights(chunk_gates)
    C, n, m = _transposed(state)
    from_start = chunk_gates.decay + ops.expand_dims(m, -1)
    m_ends = ops.maximum(ops.max(tile, axis=-1), from_start)
    weights = ops.exp(tile - ops.expand_dims(m_ends, -1))
    from_start = ops.expand_dims(ops.exp(from_start - m_ends), -1)

    batch, heads, chunks, keys, values = ops.shape(C_blocks)
    flat = ops.matmul(weights, ops.reshape(C_blocks, (batch, heads, chunks, keys * values)))
    C_ends = ops.reshape(flat, (batch, heads, chunks, keys, values))
    C_ends = C_ends + ops.expand_dims(from_start, -1) * ops.expand_dims(C, 2)
    n_ends = ops.matmul(weights, n_blocks) + from_start * ops.expand_dims(n, 2)
    ends = (C_ends, n_ends, m_ends)
    return ends, (C_ends[:, :, -1], n_ends[:, :, -1], m_ends[:, :, -1])
