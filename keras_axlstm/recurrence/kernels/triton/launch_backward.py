"""The launches of the backward pass."""

from typing import NamedTuple

import triton

from keras_axlstm.recurrence.kernels.triton import gates, tiles
from keras_axlstm.recurrence.kernels.triton.backward_key_value import backward_key_value_kernel
from keras_axlstm.recurrence.kernels.triton.backward_query import backward_query_kernel
from keras_axlstm.recurrence.kernels.triton.backward_rows import backward_rows_kernel
from keras_axlstm.recurrence.kernels.triton.launch import Array, Launch, Spec
from keras_axlstm.recurrence.kernels.triton.launch_forward import memory_specs, states
from keras_axlstm.recurrence.kernels.triton.problem import Problem, State
from keras_axlstm.recurrence.kernels.triton.states import states_backward_kernel

Pair = tuple[Array, Array]


class Gradients(NamedTuple):
    query: Array  # (B, S, NH, DH)
    key: Array
    value: Array
    log_i: Array  # (B, NH, S)
    log_f: Array
    state: State | None


def backward(
    problem: Problem,
    h: Array,
    signed_l: Array,
    h_gradient: Array,
    state_gradient: State | None,
) -> Gradients:
    """Gradients of all inputs from those of h and of the last state."""
    backend = problem.backend
    weights = gates.prepare(backend, problem.log_i, problem.log_f, problem.initial_m)
    row_gradients = _rows(problem, weights, h, signed_l, h_gradient)
    of_state = None
    if not problem.has_state and state_gradient is None:
        of_query, _ = _query(problem, weights, row_gradients, None)
        of_key, of_value, sums = _key_value(problem, weights, row_gradients, None)
        of_log_i, of_log_f = gates.gate_gradients(backend, sums, problem.chunk_size)
    else:
        memories = states(problem, weights)
        of_memories = _state_gradients(problem, weights, row_gradients, state_gradient)
        of_query, state_rows = _query(problem, weights, row_gradients, memories)
        of_key, of_value, sums = _key_value(problem, weights, row_gradients, of_memories)
        passed = _passed(problem, weights, memories, of_memories)
        sums = sums._replace(state_rows=state_rows, passed=passed)
        of_log_i, of_log_f = gates.gate_gradients(backend, sums, problem.chunk_size)
        of_m = _of_scale(problem, of_memories, memories, 0)
        if state_gradient is not None:
            # C and n are returned multiplied by exp(-m).
            of_last_m = state_gradient[2] - _of_scale(
                problem, of_memories, memories, problem.chunks
            )
            arguments = (problem.log_i, problem.log_f, problem.initial_m, of_log_i, of_log_f)
            of_log_i, of_log_f, through_last = gates.add_stabiliser_gradient(
                backend, of_last_m, *arguments
            )
            of_m = of_m + through_last
        if problem.state is not None:
            of_C, of_n = of_memories
            of_state = (of_C[:, :, 0], of_n[:, :, 0], of_m)
    if problem.reverse:
        of_log_i, of_log_f = (backend.xp.flip(x, (-1,)) for x in (of_log_i, of_log_f))
    return Gradients(of_query, of_key, of_value, of_log_i, of_log_f, of_state)


def _rows(
    problem: Problem, weights: gates.Weights, h: Array, signed_l: Array, h_gradient: Array
) -> Pair:
    """Gradients of numerators (B, S, NH, DH) and denominators (B, NH, S)."""
    batch, steps, heads, head_dim = h.shape
    launch = Launch(
        backward_rows_kernel,
        (batch * heads * triton.cdiv(steps, tiles.ROW_TILE.rows),),
        (h_gradient, h, signed_l, weights.floor),
        (steps, heads),
        (Spec(h.shape, problem.product_dtype), Spec(problem.per_step, "float32")),
        {
            "HEAD_DIM": head_dim,
            "WIDTHS": tiles.widths(head_dim),
            "ROWS": tiles.ROW_TILE.rows,
            "REVERSE": problem.reverse,
            **tiles.ROW_TILE.launch,
        },
    )
    of_numerator, of_l = problem.backend.run(launch)
    return of_numerator, of_l


def _query(
    problem: Problem, weights: gates.Weights, row_gradients: Pair, memories: Pair | None
) -> tuple[Array, Array | None]:
    """Gradient of the query, and of the log weight of the memory in each row (B, NH, S)."""
    tile = problem.tile("backward_query")
    launch = Launch(
        backward_query_kernel,
        problem.grid(tile.rows, tile),
        _inputs(problem, weights, row_gradients, memories),
        problem.sizes,
        (
            Spec(problem.query.shape, problem.dtype),
            *_slices(problem, tile, memories),
        ),
        _arguments(problem, tile, memories, absent="state_rows"),
    )
    of_query, *state_rows = problem.backend.run(launch)
    return of_query, state_rows[0].sum(0) if state_rows else None


def _key_value(
    problem: Problem, weights: gates.Weights, row_gradients: Pair, of_memories: Pair | None
) -> tuple[Array, Array, gates.Sums]:
    """Gradients of key and value, and the sums over the gradients of log weights."""
    tile = problem.tile("backward_key_value")
    per_step = problem.per_step
    tiles_of_chunk = triton.cdiv(min(problem.chunk_size, per_step[-1]), tile.columns)
    launch = Launch(
        backward_key_value_kernel,
        problem.grid(tile.columns, tile),
        _inputs(problem, weights, row_gradients, of_memories),
        problem.sizes,
        (
            *[Spec(problem.key.shape, problem.dtype)] * 2,
            Spec((tiles_of_chunk, *per_step), "float32", zeros=True),
            *[Spec(per_step, "float32")] * 2,
            *_slices(problem, tile, of_memories),
        ),
        _arguments(problem, tile, of_memories, absent="state_columns"),
    )
    of_key, of_value, row_sums, columns, diagonal, *state_columns = problem.backend.run(launch)
    sums = gates.Sums(row_sums.sum(0), columns, diagonal)
    if state_columns:
        sums = sums._replace(state_columns=state_columns[0].sum(0))
    return of_key, of_value, sums


def _inputs(
    problem: Problem, weights: gates.Weights, row_gradients: Pair, memories: Pair | None
) -> tuple[Array, ...]:
    """Inputs of the kernels for query and for key and value."""
    sequences = (problem.query, problem.key, problem.value)
    memories = memories or (weights.crest, weights.crest)
    return *sequences, *row_gradients, *weights[:5], *memories


def _slices(problem: Problem, tile: tiles.Tile, memories: Pair | None) -> list[Spec]:
    """The last output of the same kernels, which is there if they have a memory: what its log
    weights receive, a part from each slice."""
    shape = (problem.slices(tile), *problem.per_step)
    return [] if memories is None else [Spec(shape, "float32")]


def _arguments(
    problem: Problem, tile: tiles.Tile, memories: Pair | None, absent: str
) -> dict[str, object]:
    """Other arguments of the same kernels; `absent` is the name of their last output."""
    return {
        **({absent: None} if memories is None else {}),
        "scale": problem.scale,
        **problem.strides("query", "key", "value"),
        "MEMORY": memories is not None,
        **problem.block_options(tile),
    }


def _of_scale(problem: Problem, of_memories: Pair, memories: Pair, index: int) -> Array:
    """<dC, C> + <dn, n> (B, NH) of one memory: the gradient of the log of its scale."""
    return _products(problem, *([x[:, :, index] for x in pair] for pair in (of_memories, memories)))


def _passed(problem: Problem, weights: gates.Weights, memories: Pair, of_memories: Pair) -> Array:
    """(B, NH, N): the same of the part of the memory after each chunk that was there before."""
    steps, size = problem.query.shape[1], problem.chunk_size
    starts = weights.crest[..., :steps:size]
    ends = problem.backend.xp.concat([starts[..., 1:], weights.crest[..., -1:]], axis=-1)
    kept = problem.backend.xp.exp(starts - ends)
    after, before = [x[:, :, 1:] for x in of_memories], [x[:, :, :-1] for x in memories]
    return kept * _products(problem, after, before)


def _products(problem: Problem, left, right) -> Array:
    """<dC, C> + <dn, n> of pairs (C, n) of any number of memories."""
    (left_C, left_n), (right_C, right_n) = left, right
    inner = problem.backend.inner
    flat = (*left_n.shape[:-1], -1)
    return inner(left_C.reshape(flat), right_C.reshape(flat)) + inner(left_n, right_n)


def _state_gradients(
    problem: Problem,
    weights: gates.Weights,
    row_gradients: Pair,
    state_gradient: State | None,
) -> Pair:
    """Gradients of all memories, shaped like these."""
    tile = tiles.state_tile(problem.query.shape[-1], problem.dtype)
    launch = Launch(
        states_backward_kernel,
        problem.state_grid(tile),
        (
            *(problem.query, *row_gradients),
            *(weights.peak_high, weights.peak_low, weights.crest),
            *(state_gradient or (weights.crest, weights.crest))[:2],
        ),
        problem.sizes,
        memory_specs(problem),
        {
            **problem.strides("query"),
            "GIVEN": state_gradient is not None,
            **problem.state_options(tile),
        },
    )
    of_C, of_n = problem.backend.run(launch)
    return of_C, of_n
