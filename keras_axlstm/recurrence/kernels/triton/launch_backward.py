"""Launches the kernels of the backward pass."""

from typing import NamedTuple

import torch
import triton

from keras_axlstm.recurrence.kernels.triton import gates, tiles
from keras_axlstm.recurrence.kernels.triton.backward_key_value import backward_key_value_kernel
from keras_axlstm.recurrence.kernels.triton.backward_query import backward_query_kernel
from keras_axlstm.recurrence.kernels.triton.backward_rows import backward_rows_kernel
from keras_axlstm.recurrence.kernels.triton.launch_forward import states
from keras_axlstm.recurrence.kernels.triton.problem import Problem, State
from keras_axlstm.recurrence.kernels.triton.states import states_backward_kernel

Pair = tuple[torch.Tensor, torch.Tensor]


class Gradients(NamedTuple):
    query: torch.Tensor  # (B, S, NH, DH)
    key: torch.Tensor
    value: torch.Tensor
    log_i: torch.Tensor  # (B, NH, S)
    log_f: torch.Tensor
    state: State | None


def backward(
    problem: Problem,
    h: torch.Tensor,
    signed_l: torch.Tensor,
    h_gradient: torch.Tensor,
    state_gradient: State | None,
) -> Gradients:
    """Gradients of all inputs from those of h and of the last state."""
    weights = gates.prepare(problem.log_i, problem.log_f, problem.initial_m)
    of_numerator, of_l = _rows(problem, weights, h, signed_l, h_gradient.contiguous())
    row_gradients = (of_numerator, of_l)
    of_state = None
    if not problem.has_state and state_gradient is None:
        of_query, _ = _query(problem, weights, row_gradients, None)
        of_key, of_value, sums = _key_value(problem, weights, row_gradients, None)
        of_log_i, of_log_f = gates.gate_gradients(sums, problem.chunk_size)
    else:
        memories = states(problem, weights)
        of_memories = _state_gradients(problem, weights, of_numerator, of_l, state_gradient)
        of_query, state_rows = _query(problem, weights, row_gradients, memories)
        of_key, of_value, sums = _key_value(problem, weights, row_gradients, of_memories)
        passed = _passed(problem, weights, memories, of_memories)
        sums = sums._replace(state_rows=state_rows, passed=passed)
        of_log_i, of_log_f = gates.gate_gradients(sums, problem.chunk_size)
        of_m = _of_scale(of_memories, memories, 0)
        if state_gradient is not None:
            # C and n are returned multiplied by exp(-m).
            of_last_m = state_gradient[2] - _of_scale(of_memories, memories, problem.chunks)
            of_log_i, of_log_f, through_last = gates.add_stabiliser_gradient(
                of_last_m, problem.log_i, problem.log_f, problem.initial_m, of_log_i, of_log_f
            )
            of_m = of_m + through_last
        if problem.state is not None:
            of_C, of_n = of_memories
            of_state = (of_C[:, :, 0].contiguous(), of_n[:, :, 0].contiguous(), of_m)
    if problem.reverse:
        of_log_i, of_log_f = of_log_i.flip(-1), of_log_f.flip(-1)
    return Gradients(of_query, of_key, of_value, of_log_i, of_log_f, of_state)


def _rows(
    problem: Problem,
    weights: gates.Weights,
    h: torch.Tensor,
    signed_l: torch.Tensor,
    h_gradient: torch.Tensor,
) -> Pair:
    """Gradients of numerators (B, S, NH, DH) and denominators (B, NH, S)."""
    batch, steps, heads, head_dim = h.shape
    of_numerator = torch.empty_like(h, dtype=problem.product_dtype)
    of_l = torch.empty_like(signed_l)
    backward_rows_kernel[(batch * heads * triton.cdiv(steps, tiles.ROW_TILE.rows),)](
        h_gradient,
        h,
        signed_l,
        weights.floor,
        of_numerator,
        of_l,
        steps,
        heads,
        HEAD_DIM=head_dim,
        WIDTHS=tiles.widths(head_dim),
        ROWS=tiles.ROW_TILE.rows,
        REVERSE=problem.reverse,
        **tiles.ROW_TILE.launch,
    )
    return of_numerator, of_l


def _query(
    problem: Problem, weights: gates.Weights, row_gradients: Pair, memories: Pair | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Gradient of the query, and of the log weight of the memory in each row (B, NH, S)."""
    tile = problem.tile("backward_query")
    of_query = torch.empty_like(problem.query, memory_format=torch.contiguous_format)
    state_rows = None
    if memories is not None:
        state_rows = weights.floor.new_empty((tile.slices, *weights.floor.shape))
    backward_query_kernel[problem.grid(tile.rows, tile)](
        *_inputs(problem, weights, row_gradients),
        *(memories or (None, None)),
        of_query,
        state_rows,
        *problem.sizes,
        **problem.block_options(tile),
    )
    return of_query, None if state_rows is None else state_rows.sum(0)


def _key_value(
    problem: Problem, weights: gates.Weights, row_gradients: Pair, of_memories: Pair | None
) -> tuple[torch.Tensor, torch.Tensor, gates.Sums]:
    """Gradients of key and value, and the sums over the gradients of log weights."""
    tile = problem.tile("backward_key_value")
    per_step = weights.floor
    of_key = torch.empty_like(problem.key, memory_format=torch.contiguous_format)
    of_value = torch.empty_like(problem.value, memory_format=torch.contiguous_format)
    tiles_of_chunk = triton.cdiv(min(problem.chunk_size, per_step.shape[-1]), tile.columns)
    row_sums = per_step.new_zeros((tiles_of_chunk, *per_step.shape))
    column_sums, diagonal = torch.empty_like(per_step), torch.empty_like(per_step)
    state_columns = None
    if of_memories is not None:
        state_columns = per_step.new_empty((tile.slices, *per_step.shape))
    backward_key_value_kernel[problem.grid(tile.columns, tile)](
        *_inputs(problem, weights, row_gradients),
        *(of_memories or (None, None)),
        of_key,
        of_value,
        row_sums,
        column_sums,
        diagonal,
        state_columns,
        *problem.sizes,
        **problem.block_options(tile),
    )
    sums = gates.Sums(row_sums.sum(0), column_sums, diagonal)
    if state_columns is not None:
        sums = sums._replace(state_columns=state_columns.sum(0))
    return of_key, of_value, sums


def _inputs(
    problem: Problem, weights: gates.Weights, row_gradients: Pair
) -> tuple[torch.Tensor, ...]:
    """The first arguments of the kernels for query and for key and value."""
    sequences = (problem.query, problem.key, problem.value)
    return *sequences, *row_gradients, *weights[:5]


def _of_scale(of_memories: Pair, memories: Pair, index: int) -> torch.Tensor:
    """<dC, C> + <dn, n> (B, NH) of one memory: the gradient of the log of its scale."""
    (of_C, of_n), (C, n) = of_memories, memories
    of_scale = torch.linalg.vecdot(of_C[:, :, index].flatten(-2), C[:, :, index].flatten(-2))
    return of_scale + torch.linalg.vecdot(of_n[:, :, index], n[:, :, index])


def _passed(
    problem: Problem, weights: gates.Weights, memories: Pair, of_memories: Pair
) -> torch.Tensor:
    """(B, NH, N): the same of the part of the memory after each chunk that was there before."""
    (of_C, of_n), (C, n) = of_memories, memories
    steps = problem.query.shape[1]
    bounds = torch.arange(problem.chunks + 1, device=C.device) * problem.chunk_size
    crest = weights.crest[..., bounds.clamp(max=steps)]
    kept = torch.exp(crest[..., :-1] - crest[..., 1:])
    passed = torch.linalg.vecdot(of_C[:, :, 1:].flatten(-2), C[:, :, :-1].flatten(-2))
    return kept * (passed + torch.linalg.vecdot(of_n[:, :, 1:], n[:, :, :-1]))


def _state_gradients(
    problem: Problem,
    weights: gates.Weights,
    of_numerator: torch.Tensor,
    of_l: torch.Tensor,
    state_gradient: State | None,
) -> Pair:
    """Gradients of all memories, shaped like these."""
    query = problem.query
    batch, steps, heads, head_dim = query.shape
    shape = (batch, heads, problem.chunks + 1, head_dim)
    of_n = query.new_empty(shape, dtype=torch.float32)
    of_C = query.new_empty((*shape, head_dim), dtype=torch.float32)
    last = (0.0, 0.0) if state_gradient is None else state_gradient[:2]
    of_C[:, :, -1], of_n[:, :, -1] = last
    tile = tiles.state_tile(head_dim)
    states_backward_kernel[problem.state_grid(tile)](
        query,
        of_numerator,
        of_l,
        weights.peak_high,
        weights.peak_low,
        weights.crest,
        of_C,
        of_n,
        steps,
        heads,
        problem.chunk_size,
        query.stride()[:3],
        **problem.state_options(tile),
    )
    return of_C, of_n
