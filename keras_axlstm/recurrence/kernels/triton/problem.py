"""One call of the op: its inputs, and what follows from them for the launches."""

from typing import NamedTuple

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton import tiles
from keras_axlstm.recurrence.kernels.triton.launch import Array, Backend, interpreted

State = tuple[Array, Array, Array]  # C (B, NH, DH, DH), n (B, NH, DH), m (B, NH)


class Problem(NamedTuple):
    """What all launches of one call have in common."""

    backend: Backend
    query: Array  # (B, S, NH, DH), last dimension contiguous
    key: Array
    value: Array
    log_i: Array  # (B, NH, S) float32, in reading order
    log_f: Array
    state: State | None
    chunk_size: int
    reverse: bool

    @property
    def has_state(self) -> bool:
        """True if anything is read from a memory: the initial one, or one between chunks."""
        return self.state is not None or self.chunk_size < self.query.shape[1]

    @property
    def dtype(self) -> str:
        """dtype of query, key and value."""
        return str(self.query.dtype).removeprefix("torch.")

    @property
    def product_dtype(self) -> str:
        """dtype of the operands of products.

        float16 has too little range for gradients: its products run in float32, with the ten bits
        of TF32. The interpreter multiplies bfloat16 as if it were integers.
        """
        return "bfloat16" if self.dtype == "bfloat16" and not interpreted() else "float32"

    @property
    def product_options(self) -> dict[str, object]:
        precision = "ieee" if self.dtype == "float32" else "tf32"
        dtype = getattr(tl, self.product_dtype)
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
        return batch * heads * triton.cdiv(steps, block), self.slices(tile)

    def slices(self, tile: tiles.Tile) -> int:
        """Of the output: fewer than the tile has where their least width covers more."""
        head_dim = self.query.shape[-1]
        return triton.cdiv(head_dim, sum(tiles.slice_widths(head_dim, tile.slices)))

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
    def sizes(self) -> tuple[int, int, int]:
        """S, NH and L, the sizes of all kernels that walk over time."""
        _, steps, heads, _ = self.query.shape
        return steps, heads, self.chunk_size

    @property
    def scale(self) -> float:
        return self.query.shape[-1] ** -0.5

    def strides(self, *names: str) -> dict[str, tuple[int, ...]]:
        """Arguments of the kernels: strides of batch, time and head of the sequences named."""
        return {f"{name}_strides": self.backend.strides(getattr(self, name)) for name in names}

    @property
    def per_step(self) -> tuple[int, int, int]:
        """Shape of arrays with a number a step: (B, NH, S)."""
        batch, steps, heads, _ = self.query.shape
        return batch, heads, steps

    @property
    def memories(self) -> tuple[int, int, int, int]:
        """Shape of n before every chunk and after the last: (B, NH, N + 1, DH)."""
        batch, _, heads, head_dim = self.query.shape
        return batch, heads, self.chunks + 1, head_dim

    @property
    def initial_m(self) -> Array | None:
        return None if self.state is None else self.state[2]

    @property
    def chunks(self) -> int:
        return triton.cdiv(self.query.shape[1], self.chunk_size)

    def tile(self, kernel: str) -> tiles.Tile:
        # By the dtype of the inputs: the interpreter has no reason to change the tiles.
        capability = self.backend.capability(self.query)
        return tiles.tile(kernel, self.query.shape[-1], self.dtype, capability)


def make_problem(
    backend: Backend,
    inputs: tuple[Array, Array, Array, Array, Array],
    state: State | None,
    chunk_size: int,
    reverse: bool,
) -> Problem:
    """From query, key, value, log_i, log_f in the order of time, and the initial state."""
    query, key, value, log_i, log_f = inputs
    if reverse:
        log_i, log_f = backend.xp.flip(log_i, (-1,)), backend.xp.flip(log_f, (-1,))
    return Problem(backend, query, key, value, log_i, log_f, state, chunk_size, reverse)
