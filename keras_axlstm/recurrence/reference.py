"""Plain time loop of the mLSTM: the truth that every other form is compared with.

Shapes: B batch, S time, NH heads, DH head_dim. One step, with s = DH^-1/2:

    m_t = max(log f_t + m_{t-1}, log i_t)
    C_t = exp(log f_t + m_{t-1} - m_t) C_{t-1} + exp(log i_t - m_t) v_t (s k_t)^T
    n_t = exp(log f_t + m_{t-1} - m_t) n_{t-1} + exp(log i_t - m_t) s k_t
    h_t = C_t q_t / (max(|n_t . q_t|, exp(-m_t)) + 1e-6)
"""

import keras
from keras import ops

from keras_axlstm.recurrence.gates import LOWEST, normalize

State = tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]


def mlstm_step(
    state: State,
    query: keras.KerasTensor,  # (B, NH, DH)
    key: keras.KerasTensor,  # (B, NH, DH)
    value: keras.KerasTensor,  # (B, NH, DH)
    log_i: keras.KerasTensor,  # (B, NH)
    log_f: keras.KerasTensor,  # (B, NH)
) -> tuple[State, keras.KerasTensor]:
    """One step of the recurrence: the new state and h (B, NH, DH), all float32."""
    C, n, m = state
    query, key, value = (ops.cast(x, "float32") for x in (query, key, value))
    key = key * key.shape[-1] ** -0.5

    new_m = ops.maximum(log_f + m, log_i)
    forget = ops.expand_dims(ops.exp(log_f + m - new_m), -1)
    write = ops.expand_dims(ops.exp(log_i - new_m), -1)
    outer = ops.expand_dims(value, -1) * ops.expand_dims(key, -2)
    C = ops.expand_dims(forget, -1) * C + ops.expand_dims(write, -1) * outer
    n = forget * n + write * key

    # With m below LOWEST, both sides are brought to the bounded stabiliser.
    bounded = ops.maximum(new_m, LOWEST)
    scale = ops.exp(new_m - bounded)
    numerator = ops.matmul(C, ops.expand_dims(query, -1))[..., 0] * ops.expand_dims(scale, -1)
    denominator = ops.sum(n * query, axis=-1) * scale
    return (C, n, new_m), normalize(numerator, denominator, bounded)


def mlstm_reference(
    query: keras.KerasTensor,  # (B, NH, S, DH)
    key: keras.KerasTensor,  # (B, NH, S, DH)
    value: keras.KerasTensor,  # (B, NH, S, DH)
    log_i: keras.KerasTensor,  # (B, NH, S)
    log_f: keras.KerasTensor,  # (B, NH, S)
    state: State,
) -> tuple[keras.KerasTensor, State]:
    """h (B, NH, S, DH) and the last state, step after step."""
    outputs = []
    for t in range(query.shape[2]):
        state, h = mlstm_step(
            state, query[:, :, t], key[:, :, t], value[:, :, t], log_i[:, :, t], log_f[:, :, t]
        )
        outputs.append(h)
    return ops.stack(outputs, axis=2), state
