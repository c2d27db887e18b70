"""Recurrent form: a scan over time with a state of fixed size.

For streaming, where a few steps arrive at a time; the other forms are faster on whole sequences.
"""

import keras
from keras import ops

from keras_axlstm.recurrence.reference import State, mlstm_step


def mlstm_recurrent(
    query: keras.KerasTensor,  # (B, NH, S, DH)
    key: keras.KerasTensor,  # (B, NH, S, DH)
    value: keras.KerasTensor,  # (B, NH, S, DH)
    log_i: keras.KerasTensor,  # (B, NH, S)
    log_f: keras.KerasTensor,  # (B, NH, S)
    state: State,
) -> tuple[keras.KerasTensor, State]:
    """h (B, NH, S, DH) and the last state."""

    def step(carry, inputs):
        new_state, h = mlstm_step(carry[:3], *inputs)
        # `ops.scan` wants outputs shaped like the carry on TensorFlow: h travels in the carry.
        carry = (*new_state, h)
        return carry, carry

    time_first = [ops.moveaxis(x, 2, 0) for x in (query, key, value, log_i, log_f)]
    carry = (*state, ops.zeros_like(state[1]))
    carry, outputs = ops.scan(step, carry, tuple(time_first))
    return ops.moveaxis(outputs[3], 0, 2), carry[:3]
