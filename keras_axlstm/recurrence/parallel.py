"""Parallel form: quadratic in time, for short sequences.

Each block of L rows is multiplied with the columns before it, so that only the causal half of
the S x S scores is ever computed. README.md has the derivation.
"""

import keras
from keras import ops

from keras_axlstm.recurrence.blocks import Blocks, Readout, combine, split, weigh
from keras_axlstm.recurrence.gates import EMPTY
from keras_axlstm.recurrence.reference import State


def mlstm_parallel(
    query: keras.KerasTensor,  # (B, NH, S, DH)
    key: keras.KerasTensor,  # (B, NH, S, DH)
    value: keras.KerasTensor,  # (B, NH, S, DH)
    log_i: keras.KerasTensor,  # (B, NH, S)
    log_f: keras.KerasTensor,  # (B, NH, S)
    state: State | None,
    block: int,
    return_state: bool,
) -> tuple[keras.KerasTensor, State | None]:
    """h (B, NH, S, DH) float32 and, if asked for, the last state. `state=None` is empty."""
    steps, head_dim = query.shape[2:]
    block = min(block, steps)
    blocks = split(query, key, value, log_i, log_f, block)
    gates = blocks.gates

    m = ops.full_like(gates.total_decay[:, :, 0], EMPTY) if state is None else state[2]
    state_decay = m  # log weight of the initial state at the start of the current block
    sources = gates.at_end[:, :, 0, :0]  # log weight of every earlier column, likewise
    state_ms, state_decays, earlier = [], [], []
    for i, start in enumerate(range(0, steps, block)):
        state_ms.append(m)
        state_decays.append(state_decay)
        earlier.append(_read_columns(blocks, i, key, value, sources, m, start))
        decay = ops.expand_dims(gates.total_decay[:, :, i], -1)
        sources = ops.concatenate([sources + decay, gates.at_end[:, :, i]], axis=-1)
        m = ops.maximum(m + decay[..., 0], gates.state_max[:, :, i])
        state_decay = state_decay + decay[..., 0]

    readout = Readout(*(ops.stack(parts, axis=2) for parts in zip(*earlier, strict=True)))
    state_m = ops.stack(state_ms, axis=2)
    if state is not None:
        weight = ops.exp(ops.stack(state_decays, axis=2) - state_m)
        readout = _add_state(readout, blocks, state, weight)
    h = combine(blocks, readout, state_m, steps)
    if not return_state:
        return h, None

    weights = ops.exp(sources[..., :steps] - ops.expand_dims(m, -1)) * head_dim**-0.5
    keys = ops.cast(key, "float32") * ops.expand_dims(weights, -1)
    C = ops.matmul(ops.swapaxes(ops.cast(value, "float32"), -1, -2), keys)
    n = ops.sum(keys, axis=-2)
    if state is not None:
        weight = ops.expand_dims(ops.exp(state_decay - m), -1)
        C = C + ops.expand_dims(weight, -1) * state[0]
        n = n + weight * state[1]
    return h, (C, n, m)


def _read_columns(
    blocks: Blocks,
    i: int,
    key: keras.KerasTensor,
    value: keras.KerasTensor,
    sources: keras.KerasTensor,  # (B, NH, start)
    m: keras.KerasTensor,  # (B, NH)
    start: int,
) -> Readout:
    """What block i reads from the columns before it, scaled by exp(-m)."""
    query = blocks.query[:, :, i]
    if start == 0:
        zeros = ops.zeros_like(ops.cast(query, "float32"))
        return Readout(zeros, zeros[..., 0])
    weights = ops.exp(sources - ops.expand_dims(m, -1)) * query.shape[-1] ** -0.5
    scores = ops.matmul(query, ops.swapaxes(key[:, :, :start], -1, -2))
    return weigh(scores, ops.expand_dims(weights, -2), value[:, :, :start])


def _add_state(
    readout: Readout, blocks: Blocks, state: State, weight: keras.KerasTensor
) -> Readout:
    """Add what rows read from the initial state; weight (B, NH, N)."""
    query = ops.cast(blocks.query, "float32")
    C, n = ops.expand_dims(state[0], 2), ops.expand_dims(state[1], 2)
    numerator = ops.matmul(query, ops.swapaxes(C, -1, -2))
    denominator = ops.matmul(query, ops.expand_dims(n, -1))[..., 0]
    weight = ops.expand_dims(weight, -1)
    return Readout(
        readout.numerator + ops.expand_dims(weight, -1) * numerator,
        readout.denominator + weight * denominator,
    )
