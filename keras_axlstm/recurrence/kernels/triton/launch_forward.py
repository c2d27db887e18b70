"""Launches the kernels of the forward pass."""

import torch

from keras_axlstm.recurrence.kernels.triton import gates, tiles
from keras_axlstm.recurrence.kernels.triton.forward import forward_kernel
from keras_axlstm.recurrence.kernels.triton.problem import Problem, State
from keras_axlstm.recurrence.kernels.triton.states import states_kernel


def forward(
    problem: Problem, return_state: bool
) -> tuple[torch.Tensor, torch.Tensor, State | None]:
    """h (B, S, NH, DH), the signed l (B, NH, S) in reading order, and the last state if asked."""
    query, key, value = problem.query, problem.key, problem.value
    batch, steps, heads, head_dim = query.shape
    weights = gates.prepare(problem.log_i, problem.log_f, problem.initial_m)
    memories = states(problem, weights) if problem.has_state or return_state else None

    h = query.new_empty(query.shape, dtype=torch.float32)
    signed_l = query.new_empty((batch, heads, steps), dtype=torch.float32)
    tile = problem.tile("forward")
    forward_kernel[problem.grid(tile.rows, tile)](
        query,
        key,
        value,
        weights.source_high,
        weights.source_low,
        weights.peak_high,
        weights.peak_low,
        weights.crest,
        weights.floor,
        *((memories if problem.has_state else None) or (None, None)),
        h,
        signed_l,
        *problem.sizes,
        **problem.block_options(tile),
    )
    if memories is None or not return_state:
        return h, signed_l, None
    C, n = (x[:, :, -1].contiguous() for x in memories)
    return h, signed_l, (C, n, weights.last_m)


def states(problem: Problem, weights: gates.Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """Memories before every chunk and after the last: C (B, NH, N + 1, DH, DH), n without DH."""
    key, value = problem.key, problem.value
    batch, steps, heads, head_dim = key.shape
    shape = (batch, heads, problem.chunks + 1, head_dim)
    n = key.new_empty(shape, dtype=torch.float32)
    C = key.new_empty((*shape, head_dim), dtype=torch.float32)
    C[:, :, 0], n[:, :, 0] = (0.0, 0.0) if problem.state is None else problem.state[:2]
    tile = tiles.state_tile(head_dim)
    states_kernel[problem.state_grid(tile)](
        key,
        value,
        weights.source_high,
        weights.source_low,
        weights.crest,
        C,
        n,
        steps,
        heads,
        problem.chunk_size,
        head_dim**-0.5,
        key.stride()[:3],
        value.stride()[:3],
        **problem.state_options(tile),
    )
    return C, n
