"""Launches the kernels: allocates outputs, chooses tiles, chains forward and backward."""

from typing import NamedTuple

import torch
import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton import gates, tiles
from keras_axlstm.recurrence.kernels.triton.availability import interpreted
from keras_axlstm.recurrence.kernels.triton.backward_key_value import backward_key_value_kernel
from keras_axlstm.recurrence.kernels.triton.backward_query import backward_query_kernel
from keras_axlstm.recurrence.kernels.triton.backward_rows import backward_rows_kernel
from keras_axlstm.recurrence.kernels.triton.forward import forward_kernel
from keras_axlstm.recurrence.kernels.triton.states import states_backward_kernel, states_kernel

State = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # C (B, NH, DH, DH), n (B, NH, DH), m


class Problem(NamedTuple):
    """What all launches of one call have in common."""

    query: torch.Tensor  # (B, S, NH, DH), last dimension contiguous
    key: torch.Tensor
    value: torch.Tensor
    log_i: torch.Tensor  # (B, NH, S) float32, in reading order
    log_f: torch.Tensor
    state: State | None
    chunk_size: int
    reverse: bool

    @property
    def has_state(self) -> bool:
        """True if anything is read from a memory: the initial one, or one between chunks."""
        return self.state is not None or self.chunk_size < self.query.shape[1]

    @property
    def product_dtype(self) -> torch.dtype:
        """dtype of the operands of products.

        float16 has too little range for gradients: its products run in float32, with the ten bits
        of TF32. The interpreter multiplies bfloat16 as if it were integers.
        """
        bfloat16 = self.query.dtype == torch.bfloat16 and not interpreted()
        return torch.bfloat16 if bfloat16 else torch.float32

    @property
    def product_options(self) -> dict[str, object]:
        precision = "ieee" if self.query.dtype == torch.float32 else "tf32"
        dtype = tl.bfloat16 if self.product_dtype == torch.bfloat16 else tl.float32
        return {"DTYPE": dtype, "PRECISION": precision, "REVERSE": self.reverse}

    def block_options(self, tile: tiles.Tile) -> dict[str, object]:
        """Compile-time arguments of the kernels that work on tiles of rows and columns."""
        head_dim = self.query.shape[-1]
        slice_widths = tiles.slice_widths(head_dim)
        return {
            "HEAD_DIM": head_dim,
            "WIDTHS": tiles.widths(head_dim),
            "SLICE_WIDTHS": slice_widths,
            "SLICE": sum(slice_widths),
            "STATE_SLICE": tiles.STATE_SLICE,
            "ROWS": tile.rows,
            "COLUMNS": tile.columns,
            **self.product_options,
            **tile.launch,
        }

    def tile(self, kernel: str) -> tiles.Tile:
        return tiles.tile(kernel, self.query.shape[-1], self.product_dtype.itemsize)


def problem(query, key, value, log_i, log_f, state, chunk_size, reverse) -> Problem:
    """Brings the inputs into the layout that the kernels read."""
    query, key, value = (x if x.stride(-1) == 1 else x.contiguous() for x in (query, key, value))
    if reverse:
        log_i, log_f = log_i.flip(-1), log_f.flip(-1)
    if state is not None:
        state = tuple(x.contiguous() for x in state)
    return Problem(query, key, value, log_i, log_f, state, chunk_size, reverse)


def forward(
    problem: Problem, return_state: bool
) -> tuple[torch.Tensor, torch.Tensor, State | None]:
    """h (B, S, NH, DH), the signed l (B, NH, S) in reading order, and the last state if asked."""
    query, key, value = problem.query, problem.key, problem.value
    batch, steps, heads, head_dim = query.shape
    weights = gates.prepare(problem.log_i, problem.log_f, _initial_m(problem))
    C = n = None
    if problem.has_state or return_state:
        C, n = _states(problem, weights)
    read_C, read_n = (C, n) if problem.has_state else (None, None)

    h = query.new_empty(query.shape, dtype=torch.float32)
    signed_l = query.new_empty((batch, heads, steps), dtype=torch.float32)
    tile = problem.tile("forward")
    forward_kernel[_grid(problem, tile.rows)](
        query,
        key,
        value,
        weights.source_high,
        weights.source_low,
        weights.peak_high,
        weights.peak_low,
        weights.crest,
        weights.floor,
        read_C,
        read_n,
        h,
        signed_l,
        steps,
        heads,
        problem.chunk_size,
        head_dim**-0.5,
        query.stride()[:3],
        key.stride()[:3],
        value.stride()[:3],
        **problem.block_options(tile),
    )
    if not return_state:
        return h, signed_l, None
    return h, signed_l, (C[:, :, -1].contiguous(), n[:, :, -1].contiguous(), weights.last_m)


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
    query, key, value = problem.query, problem.key, problem.value
    batch, steps, heads, head_dim = query.shape
    weights = gates.prepare(problem.log_i, problem.log_f, _initial_m(problem))
    of_numerator, of_l = _rows(problem, weights, h, signed_l, h_gradient.contiguous())

    C = n = of_C = of_n = None
    if problem.has_state or state_gradient is not None:
        C, n = _states(problem, weights)
        of_C, of_n = _state_gradients(problem, weights, of_numerator, of_l, state_gradient)
    read_C, read_n = (C, n) if problem.has_state else (None, None)

    per_step = {"device": query.device, "dtype": torch.float32}
    slices = tiles.slices(head_dim)
    inputs = (
        query,
        key,
        value,
        of_numerator,
        of_l,
        weights.source_high,
        weights.source_low,
        weights.peak_high,
        weights.peak_low,
        weights.crest,
    )
    sizes = (
        steps,
        heads,
        problem.chunk_size,
        head_dim**-0.5,
        query.stride()[:3],
        key.stride()[:3],
        value.stride()[:3],
    )

    dense = torch.contiguous_format
    of_query = torch.empty_like(query, memory_format=dense)
    state_rows = state_columns = None
    if read_C is not None:
        state_rows = torch.empty((slices, batch, heads, steps), **per_step)
    tile = problem.tile("backward_query")
    backward_query_kernel[_grid(problem, tile.rows)](
        *inputs, read_C, read_n, of_query, state_rows, *sizes, **problem.block_options(tile)
    )

    of_key = torch.empty_like(key, memory_format=dense)
    of_value = torch.empty_like(value, memory_format=dense)
    if of_C is not None:
        state_columns = torch.empty((slices, batch, heads, steps), **per_step)
    tile = problem.tile("backward_key_value")
    tiles_of_chunk = triton.cdiv(min(problem.chunk_size, steps), tile.columns)
    row_sums = torch.zeros((tiles_of_chunk, batch, heads, steps), **per_step)
    column_sums = torch.empty((batch, heads, steps), **per_step)
    diagonal = torch.empty((batch, heads, steps), **per_step)
    backward_key_value_kernel[_grid(problem, tile.columns)](
        *inputs,
        of_C,
        of_n,
        of_key,
        of_value,
        row_sums,
        column_sums,
        diagonal,
        state_columns,
        *sizes,
        **problem.block_options(tile),
    )

    sums = gates.Sums(row_sums.sum(0), column_sums, diagonal)
    if of_C is not None:
        # <dC_k, C_k> + <dn_k, n_k>: the gradient of the log of each memory's scale.
        scales = torch.linalg.vecdot(of_C.flatten(-2), C.flatten(-2))
        scales = scales + torch.linalg.vecdot(of_n, n)
        # The memory before a chunk that is still there after it.
        bounds = torch.arange(C.shape[2], device=query.device) * problem.chunk_size
        crest = weights.crest[..., bounds.clamp(max=steps)]
        kept = torch.exp(crest[..., :-1] - crest[..., 1:])
        passed = torch.linalg.vecdot(of_C[:, :, 1:].flatten(-2), C[:, :, :-1].flatten(-2))
        passed = kept * (passed + torch.linalg.vecdot(of_n[:, :, 1:], n[:, :, :-1]))
        state_rows = None if state_rows is None else state_rows.sum(0)
        sums = sums._replace(
            state_rows=state_rows, state_columns=state_columns.sum(0), passed=passed
        )
    of_log_i, of_log_f = gates.gate_gradients(sums, problem.chunk_size)

    of_state = None
    if state_gradient is not None:
        # C and n are returned multiplied by exp(-m).
        of_last_m = state_gradient[2] - scales[..., -1]
        of_log_i, of_log_f, of_m = gates.add_stabiliser_gradient(
            of_last_m, problem.log_i, problem.log_f, _initial_m(problem), of_log_i, of_log_f
        )
    if problem.state is not None:
        of_m = scales[..., 0] + (of_m if state_gradient is not None else 0.0)
        of_state = (of_C[:, :, 0].contiguous(), of_n[:, :, 0].contiguous(), of_m)
    if problem.reverse:
        of_log_i, of_log_f = of_log_i.flip(-1), of_log_f.flip(-1)
    return Gradients(of_query, of_key, of_value, of_log_i, of_log_f, of_state)


def _grid(problem: Problem, block: int) -> tuple[int, int]:
    batch, steps, heads, head_dim = problem.query.shape
    return batch * heads * triton.cdiv(steps, block), tiles.slices(head_dim)


def _initial_m(problem: Problem) -> torch.Tensor | None:
    return None if problem.state is None else problem.state[2]


def _states(problem: Problem, weights: gates.Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """Memories before every chunk and after the last: C (B, NH, N + 1, DH, DH), n without DH."""
    key, value = problem.key, problem.value
    batch, steps, heads, head_dim = key.shape
    chunks = triton.cdiv(steps, problem.chunk_size)
    shape = (batch, heads, chunks + 1, head_dim)
    n = key.new_empty(shape, dtype=torch.float32)
    C = key.new_empty((*shape, head_dim), dtype=torch.float32)
    C[:, :, 0], n[:, :, 0] = (0.0, 0.0) if problem.state is None else problem.state[:2]
    tile = tiles.state_tile(head_dim)
    states_kernel[_state_grid(problem, tile)](
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
        **_state_options(problem, tile),
    )
    return C, n


def _state_gradients(
    problem: Problem,
    weights: gates.Weights,
    of_numerator: torch.Tensor,
    of_l: torch.Tensor,
    state_gradient: State | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of all memories, shaped like these."""
    query = problem.query
    batch, steps, heads, head_dim = query.shape
    chunks = triton.cdiv(steps, problem.chunk_size)
    shape = (batch, heads, chunks + 1, head_dim)
    of_n = query.new_empty(shape, dtype=torch.float32)
    of_C = query.new_empty((*shape, head_dim), dtype=torch.float32)
    last = (0.0, 0.0) if state_gradient is None else state_gradient[:2]
    of_C[:, :, -1], of_n[:, :, -1] = last
    tile = tiles.state_tile(head_dim)
    states_backward_kernel[_state_grid(problem, tile)](
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
        **_state_options(problem, tile),
    )
    return of_C, of_n


def _state_grid(problem: Problem, tile: tiles.StateTile) -> tuple[int, int, int]:
    batch, _, heads, head_dim = problem.query.shape
    return batch * heads, triton.cdiv(head_dim, tile.values), triton.cdiv(head_dim, tile.keys)


def _state_options(problem: Problem, tile: tiles.StateTile) -> dict[str, object]:
    return {
        "HEAD_DIM": problem.query.shape[-1],
        "VALUES": tile.values,
        "KEYS": tile.keys,
        "STEPS": tile.steps,
        **problem.product_options,
        **tile.launch,
    }


def _rows(
    problem: Problem,
    weights: gates.Weights,
    h: torch.Tensor,
    signed_l: torch.Tensor,
    h_gradient: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
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
