"""Which form, and how large its blocks: the tables behind `form="auto"`.

The parallel form costs 2 S^2 d multiplications a head, blocks that lie in the future left out, the
chunkwise form S (2 L d + 2 d^2) and the traffic of its states. `tools/benchmark.py --modes op
op-train` measures where one overtakes the other.
"""

from typing import NamedTuple

import keras


class Form(NamedTuple):
    """A form and the steps of its blocks."""

    name: str
    chunk_size: int


class Table(NamedTuple):
    """Keyed by head_dim; a head_dim in between takes the row of the next larger one."""

    longest_parallel: dict[int, int]  # steps up to which the parallel form is faster, training
    chunk_size: dict[int, int]  # steps of a chunk of the chunkwise form


# `keras.ops`, measured on two cores at 251 to 2,001 steps: where the curves of the three backends
# cross, PyTorch's a little earlier than the others'. Heads of 64: JAX alone, for both tables.
OPS = Table(
    longest_parallel={64: 128, 144: 384, 288: 576, 576: 896},
    chunk_size={128: 64, 384: 128, 576: 256},
)
# The C++ kernels, forward and backward, measured on two cores with AVX-512 for heads of 144, 288
# and 576. What a tile of 64 steps costs does not depend on the form, so that the lead of the
# parallel form ends where its multiplications exceed the other's.
KERNEL = Table(
    longest_parallel={64: 128, 144: 448, 288: 704, 576: 1536},
    chunk_size={64: 64, 576: 128},
)
# Rows of a block of the parallel form in `keras.ops`: compiled backends gain from fewer, larger
# products, eager PyTorch from the scores that smaller blocks leave out.
PARALLEL_BLOCK = {"torch": 64}.get(keras.backend.backend(), 128)

# Multiplications from which on the kernel for projections is faster, with the cost of its call, on
# two cores with AMX. The rest is left to the backend: TensorFlow and PyTorch have good products in
# bfloat16 themselves.
LARGE_PROJECTION = {
    ("jax", "float32"): 2**25,
    ("jax", "bfloat16"): 2**25,
    ("tensorflow", "float32"): 2**29,
    ("torch", "float32"): 2**28,
}
# Numbers in u of the largest block that one kernel computes. Up to here it was the faster, on two
# cores with AMX: by a third for one clip of 2 s in a tiny model, by some per cent for 16. Beyond,
# what the phases leave to each other lies far from the processor, and the parts do as well.
LARGEST_BLOCK = 2_500_000
# Rows where TensorFlow leaves them open: a batch of eight clips of 2 s.
ASSUMED_ROWS = 2008


def large_projection(rows: int | None, inputs: int, outputs: int, dtype: str) -> bool:
    """Whether a projection of `(rows, inputs)` to `outputs` is worth a call of the kernel."""
    smallest = LARGE_PROJECTION.get((keras.backend.backend(), dtype))
    return smallest is not None and (rows or ASSUMED_ROWS) * inputs * outputs >= smallest


def whole_block(batch: int | None, steps: int, channels: int) -> bool:
    """Whether a block without gradients is worth the kernel for all of it."""
    rows = ASSUMED_ROWS if batch is None else batch * steps
    return rows * channels <= LARGEST_BLOCK


def choose_form(
    steps: int | None,
    head_dim: int,
    form: str = "auto",
    chunk_size: int | None = None,
    kernel: bool = False,
) -> Form:
    """The form that `form` stands for, and its block size unless one is given."""
    table = KERNEL if kernel else OPS
    if form == "auto":
        longest = _row(table.longest_parallel, head_dim)
        form = "chunkwise" if steps is None or steps > longest else "parallel"
    default = PARALLEL_BLOCK if form == "parallel" else _row(table.chunk_size, head_dim)
    return Form(form, chunk_size or default)


def _row(table: dict[int, int], head_dim: int) -> int:
    larger = [size for size in table if size >= head_dim]
    return table[min(larger) if larger else max(table)]
