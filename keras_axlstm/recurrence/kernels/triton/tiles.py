"""Block sizes and limits of the kernels: the only place where they are chosen.

Chosen so that the bfloat16 kernels fit on sm_90 (registers, 227 KiB of shared memory);
tests/recurrence/kernels/test_triton_compiles.py compiles every entry and holds it to that.
"""

from typing import Any, NamedTuple

MAX_HEAD_DIM = 576
LEAST_CAPABILITY = (8, 0)  # bfloat16 products
# Chunks are multiples of this, and every tile of rows or columns divides it.
CHUNK_MULTIPLE = 64


class Tile(NamedTuple):
    """Sizes of one kernel's blocks, and how it is launched."""

    rows: int  # steps of a block that queries or reads
    columns: int  # steps of a block that is written or read from
    warps: int
    stages: int
    # The columns of the output are cut into slices, one program each, where accumulators of
    # (rows x head dim) float32 would not fit into registers.
    slices: int = 1

    @property
    def launch(self) -> dict[str, Any]:
        """Launch options. Contracting a product and a sum into one operation is harmless here."""
        return {"num_warps": self.warps, "num_stages": self.stages, "enable_fp_fusion": True}


# kernel: {(largest head dim, size in bytes of an element of its products): tile}
TILES: dict[str, dict[tuple[int, int], Tile]] = {
    "forward": {
        (144, 2): Tile(rows=64, columns=64, warps=4, stages=2),
        (288, 2): Tile(rows=64, columns=32, warps=8, stages=2),
        (576, 2): Tile(rows=64, columns=32, warps=8, stages=2, slices=3),
        (144, 4): Tile(rows=32, columns=32, warps=8, stages=1),
        (288, 4): Tile(rows=16, columns=16, warps=8, stages=1),
        (576, 4): Tile(rows=16, columns=16, warps=8, stages=1, slices=2),
    },
    "backward_query": {
        (144, 2): Tile(rows=64, columns=32, warps=4, stages=2),
        (288, 2): Tile(rows=64, columns=32, warps=8, stages=2),
        (576, 2): Tile(rows=64, columns=32, warps=8, stages=2, slices=3),
        (144, 4): Tile(rows=32, columns=32, warps=8, stages=1),
        (288, 4): Tile(rows=16, columns=16, warps=8, stages=1),
        (576, 4): Tile(rows=16, columns=16, warps=8, stages=1, slices=2),
    },
    "backward_key_value": {
        (144, 2): Tile(rows=32, columns=64, warps=8, stages=2),
        (288, 2): Tile(rows=32, columns=64, warps=8, stages=2),
        (576, 2): Tile(rows=16, columns=64, warps=8, stages=1, slices=2),
        (144, 4): Tile(rows=16, columns=32, warps=8, stages=1),
        (288, 4): Tile(rows=16, columns=16, warps=8, stages=1),
        (576, 4): Tile(rows=16, columns=16, warps=8, stages=1, slices=2),
    },
}

# Rows that backward_rows.py takes at a time, and its launch; it has no columns.
ROW_TILE = Tile(rows=16, columns=0, warps=4, stages=1)


class StateTile(NamedTuple):
    """Block of the (value x key) memory that one program of the state kernels holds."""

    values: int
    keys: int
    steps: int
    warps: int
    stages: int

    @property
    def launch(self) -> dict[str, Any]:
        return {"num_warps": self.warps, "num_stages": self.stages, "enable_fp_fusion": True}


# Columns of the memory that the other kernels read at a time.
STATE_SLICE = 32


def tile(kernel: str, head_dim: int, itemsize: int) -> Tile:
    """The tile of `kernel` for a head dimension and the size of an element of its products."""
    for (largest, size), entry in TILES[kernel].items():
        if head_dim <= largest and size == itemsize:
            return entry
    raise NotImplementedError(
        f"the Triton kernels take head dimensions up to {MAX_HEAD_DIM}. Received: {head_dim}"
    )


def widths(dim: int) -> tuple[int, ...]:
    """Powers of two, 16 at least, that together cover `dim`: (128, 16) for 144.

    Blocks have power-of-two sides. Two parts if that is tighter than one: 288 is 256 + 32, not
    512. A head dimension that is no multiple of 16 is covered with some columns masked.
    """
    whole = _power_of_two(dim)
    main = whole // 2
    rest = _power_of_two(dim - main)
    return (main, rest) if rest < main else (whole,)


def _power_of_two(x: int) -> int:
    """The least power of two that is at least x and 16, the least side of a product."""
    return max(16, 1 << (x - 1).bit_length())


def slice_widths(head_dim: int, slices: int) -> tuple[int, ...]:
    """Widths of the slice of the output that one program computes."""
    return widths(-(-head_dim // slices))


def state_tile(head_dim: int) -> StateTile:
    side = 64 if head_dim > 144 else 32
    return StateTile(values=side, keys=side, steps=32, warps=4, stages=2)
