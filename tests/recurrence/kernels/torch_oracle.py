"""The recurrence step by step in float64 PyTorch, for values and gradients by autograd."""

import torch

EMPTY = -1e15
LOWEST = -10.0


def mlstm(query, key, value, log_i, log_f, state=None, reverse=False):
    """h (B, S, NH, DH), the last state, and whether |n.q| is the denominator, (B, S, NH) bool.

    Arguments as in `mlstm_triton`.
    """
    query, key, value, log_i, log_f = (x.double() for x in (query, key, value, log_i, log_f))
    batch, steps, heads, head_dim = query.shape
    if state is None:
        C = query.new_zeros((batch, heads, head_dim, head_dim))
        n, m = C[..., 0], query.new_full((batch, heads), EMPTY)
    else:
        C, n, m = (x.double() for x in state)
    outputs, active = [None] * steps, [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        k = key[:, t] * head_dim**-0.5
        new_m = torch.maximum(log_f[:, :, t] + m, log_i[:, :, t])
        forget = torch.exp(log_f[:, :, t] + m - new_m).unsqueeze(-1)
        write = torch.exp(log_i[:, :, t] - new_m).unsqueeze(-1)
        outer = value[:, t].unsqueeze(-1) * k.unsqueeze(-2)
        C = forget.unsqueeze(-1) * C + write.unsqueeze(-1) * outer
        n = forget * n + write * k
        m = new_m
        bounded = m.clamp(min=LOWEST)
        scale = torch.exp(m - bounded)
        denominator = (n * query[:, t]).sum(-1) * scale
        numerator = torch.einsum("bhvk,bhk->bhv", C, query[:, t]) * scale.unsqueeze(-1)
        normalizer = torch.maximum(denominator.abs(), torch.exp(-bounded)) + 1e-6
        outputs[t] = numerator / normalizer.unsqueeze(-1)
        active[t] = denominator.abs() >= torch.exp(-bounded)
    return torch.stack(outputs, 1), (C, n, m), torch.stack(active, 1)
