"""Block sizes and limits of the kernels: the only place where they are chosen.

Chosen so that the bfloat16 kernels fit into registers and shared memory;
tests/recurrence/kernels/test_triton_compiles.py compiles every entry and holds it to that.
Capabilities are compute capabilities times ten: 90 for 9.0.
"""

from typing import Any, NamedTuple

LEAST_CAPABILITY = 80  # bfloat16 products
# Major versions whose products in bfloat16 read their operands from shared memory, 227 KiB of it
# (H100, B200). The others (A100, L4, RTX) hold operands in registers, beside the sums, and some
# have 99 KiB.
LARGE_DEVICES = (9, 10)
# Where there is no device, in Triton's interpreter.
INTERPRETED_CAPABILITY = 90
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
Tiles = dict[str, dict[tuple[int, int], Tile]]
TILES: Tiles = {
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

# For devices that are not among the large ones; what is larger does not fit.
_SMALL = {
    "forward": {(144, 2): Tile(rows=64, columns=32, warps=4, stages=1)},
    "backward_query": {(144, 2): Tile(rows=64, columns=32, warps=8, stages=1)},
    "backward_key_value": {(144, 2): Tile(rows=16, columns=64, warps=8, stages=1, slices=2)},
}
SMALL_TILES: Tiles = {
    kernel: entries | {size: TILES[kernel][size] for size in ((144, 4), (288, 4))}
    for kernel, entries in _SMALL.items()
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


def tile(kernel: str, head_dim: int, dtype: str, capability: int) -> Tile:
    """The tile of `kernel` for a head dimension, a dtype of the inputs and a device."""
    for (largest, size), entry in _tiles(capability)[kernel].items():
        if head_dim <= largest and size == _itemsize(dtype):
            return entry
    raise NotImplementedError(*too_large(head_dim, dtype, capability))


def too_large(head_dim: int, dtype: str, capability: int) -> list[str]:
    """Why a device cannot take heads of a size; empty if it can."""
    sizes = (dim for dim, size in _tiles(capability)["forward"] if size == _itemsize(dtype))
    largest = max(sizes)
    if head_dim <= largest:
        return []
    return [
        f"the Triton kernels take head dimensions up to {largest} in {dtype} on a device of "
        f"compute capability {capability / 10}. Received: {head_dim}"
    ]


def _tiles(capability: int) -> Tiles:
    return TILES if capability // 10 in LARGE_DEVICES else SMALL_TILES


def _itemsize(dtype: str) -> int:
    """Bytes of an element of the products: float16 is multiplied as float32."""
    return 2 if dtype == "bfloat16" else 4


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


def state_tile(head_dim: int, dtype: str) -> StateTile:
    side = 64 if head_dim > 144 and _itemsize(dtype) == 2 else 32
    return StateTile(values=side, keys=side, steps=32, warps=4, stages=2)
