"""One call of the op: its inputs, and what follows from them for the launches."""

from typing import NamedTuple

import torch
import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton import tiles
from keras_axlstm.recurrence.kernels.triton.availability import interpreted

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
        slice_widths = tiles.slice_widths(head_dim, tile.slices)
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

    def grid(self, block: int, tile: tiles.Tile) -> tuple[int, int]:
        """A program for each block of steps of each head, and for each slice."""
        batch, steps, heads, _ = self.query.shape
        return batch * heads * triton.cdiv(steps, block), tile.slices

    def state_grid(self, tile: tiles.StateTile) -> tuple[int, int, int]:
        """A program for each block of each head's memory."""
        batch, _, heads, head_dim = self.query.shape
        return batch * heads, triton.cdiv(head_dim, tile.values), triton.cdiv(head_dim, tile.keys)

    def state_options(self, tile: tiles.StateTile) -> dict[str, object]:
        """Compile-time arguments of the kernels that hold a block of the memory."""
        return {
            "HEAD_DIM": self.query.shape[-1],
            "VALUES": tile.values,
            "KEYS": tile.keys,
            "STEPS": tile.steps,
            **self.product_options,
            **tile.launch,
        }

    @property
    def sizes(self) -> tuple[object, ...]:
        """The run-time arguments that describe shapes and strides, in the kernels' order."""
        _, steps, heads, head_dim = self.query.shape
        strides = (x.stride()[:3] for x in (self.query, self.key, self.value))
        return steps, heads, self.chunk_size, head_dim**-0.5, *strides

    @property
    def initial_m(self) -> torch.Tensor | None:
        return None if self.state is None else self.state[2]

    @property
    def chunks(self) -> int:
        return triton.cdiv(self.query.shape[1], self.chunk_size)

    def tile(self, kernel: str) -> tiles.Tile:
        # float16 is multiplied as float32; the interpreter has no reason to change the tiles.
        itemsize = 2 if self.query.dtype == torch.bfloat16 else 4
        return tiles.tile(kernel, self.query.shape[-1], itemsize)


def make_problem(query, key, value, log_i, log_f, state, chunk_size, reverse) -> Problem:
    """Brings the inputs into the layout that the kernels read."""
    query, key, value = (x if x.stride(-1) == 1 else x.contiguous() for x in (query, key, value))
    if reverse:
        log_i, log_f = log_i.flip(-1), log_f.flip(-1)
    if state is not None:
        state = tuple(x.contiguous() for x in state)
    return Problem(query, key, value, log_i, log_f, state, chunk_size, reverse)
