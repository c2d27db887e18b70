"""The recurrence in float64 NumPy, without a stabiliser: h = C q / (max(|n.q|, 1) + 1e-6 e^m)."""

import numpy as np


def log_gate(x: np.ndarray, activation: str) -> np.ndarray:
    x = np.asarray(x, "float64")
    return -np.logaddexp(0, -x) if activation == "sigmoid" else x


def mlstm(query, key, value, input_gate, forget_gate, input_activation, forget_activation):
    """Arrays as in `keras_axlstm.ops.mlstm`; for gates of moderate size only."""
    query, key, value = (np.asarray(x, "float64") for x in (query, key, value))
    i = np.exp(log_gate(input_gate, input_activation))
    f = np.exp(log_gate(forget_gate, forget_activation))
    batch, steps, heads, head_dim = query.shape
    C = np.zeros((batch, heads, head_dim, head_dim))
    n = np.zeros((batch, heads, head_dim))
    m = np.full((batch, heads), -np.inf)
    outputs = np.zeros_like(query)
    for t in range(steps):
        k = key[:, t] * head_dim**-0.5
        outer = value[:, t][..., :, None] * k[..., None, :]
        C = f[:, t][..., None, None] * C + i[:, t][..., None, None] * outer
        n = f[:, t][..., None] * n + i[:, t][..., None] * k
        m = np.maximum(np.log(f[:, t]) + m, np.log(i[:, t]))
        q = query[:, t]
        numerator = np.einsum("bhvk,bhk->bhv", C, q)
        denominator = np.maximum(np.abs(np.sum(n * q, -1)), 1) + 1e-6 * np.exp(m)
        outputs[:, t] = numerator / denominator[..., None]
    return outputs
