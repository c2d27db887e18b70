"""Which form, and how large its blocks: the measured table behind `form="auto"`.

The parallel form costs 2 S^2 d multiplications a head, blocks that lie in the future left out, the
chunkwise form S (2 L d + 2 d^2) and the traffic of its states. Where one overtakes the other was
measured with `tools/benchmark.py --modes op`.
"""

from typing import NamedTuple

import keras


class Form(NamedTuple):
    """A form and the steps of its blocks."""

    name: str
    chunk_size: int


# Up to this many steps the parallel form is faster, forward and backward together; by head_dim, the
# row of the next larger one.
LONGEST_PARALLEL = {64: 512, 144: 768, 288: 1024, 576: 2048}
# Steps of a chunk of the chunkwise form.
CHUNK_SIZE = {64: 64, 144: 128, 288: 256, 576: 256}
# Rows of a block of the parallel form in `keras.ops`: compiled backends gain from fewer, larger
# products, eager PyTorch from the scores that smaller blocks leave out.
PARALLEL_BLOCK = {"torch": 64}.get(keras.backend.backend(), 128)


def choose_form(
    steps: int | None, head_dim: int, form: str = "auto", chunk_size: int | None = None
) -> Form:
    """The form that `form` stands for, and its block size unless one is given."""
    if form == "auto":
        longest = _row(LONGEST_PARALLEL, head_dim)
        form = "chunkwise" if steps is None or steps > longest else "parallel"
    default = PARALLEL_BLOCK if form == "parallel" else _row(CHUNK_SIZE, head_dim)
    return Form(form, chunk_size or default)


def _row(table: dict[int, int], head_dim: int) -> int:
    return table[min((size for size in table if size >= head_dim), default=max(table))]
