"""The Triton kernels, and what they may use once compiled for a device."""

from typing import NamedTuple

KERNELS = (
    "forward",
    "backward_rows",
    "backward_query",
    "backward_key_value",
    "states",
    "states_backward",
)
MOST_REGISTERS = 255


class Device(NamedTuple):
    """Limits of a compute capability."""

    shared: int  # bytes of shared memory of a program
    # Bytes a thread that do not fit into registers, (kernel, head dim, dtype); all others must fit.
    # In bfloat16 these are set up before a loop: none is written inside one but once a tile at 288.
    spilled: dict[tuple[str, int, str], int]
    problems: tuple[tuple[int, str], ...]  # head dims and dtypes to compile


_HOPPER = {
    ("forward", 144, "fp32"): 128,
    ("backward_query", 288, "bf16"): 64,
    ("backward_query", 144, "fp32"): 256,
    ("backward_query", 144, "fp16"): 64,
    ("backward_key_value", 288, "bf16"): 320,
    ("backward_key_value", 576, "bf16"): 160,
    ("backward_key_value", 144, "fp32"): 192,
    ("backward_key_value", 144, "fp16"): 448,
}
_BLACKWELL = _HOPPER | {
    ("forward", 144, "bf16"): 64,
    ("backward_query", 144, "bf16"): 128,
    ("backward_query", 576, "bf16"): 64,
    ("backward_key_value", 144, "fp32"): 256,
}
_SMALL = {
    ("forward", 144, "bf16"): 96,
    ("forward", 288, "fp32"): 32,
    ("backward_query", 144, "bf16"): 64,
    ("backward_query", 288, "fp16"): 32,
    ("backward_key_value", 144, "bf16"): 64,
    ("backward_key_value", 288, "fp32"): 160,
}
_ALL_SIZES = ((144, "bf16"), (288, "bf16"), (576, "bf16"), (144, "fp32"), (144, "fp16"))
_SMALL_SIZES = ((144, "bf16"), (288, "fp32"), (288, "fp16"))
DEVICES = {
    80: Device(163 * 1024, _SMALL, _SMALL_SIZES),  # A100
    89: Device(99 * 1024, _SMALL, _SMALL_SIZES),  # L4, RTX 40
    90: Device(227 * 1024, _HOPPER, _ALL_SIZES),  # H100
    100: Device(227 * 1024, _BLACKWELL, _ALL_SIZES),  # B200
    120: Device(99 * 1024, _SMALL, _SMALL_SIZES),  # RTX 50
}
