"""A launch of a kernel as data, and what PyTorch and JAX each have to offer for it.

The launches of a call and the arithmetic around them are written once, for arrays of either; what
the two do in ways of their own is in a `Backend`.
"""

import os
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

Array = Any


class Spec(NamedTuple):
    """An array that a kernel writes."""

    shape: tuple[int, ...]
    dtype: str
    zeros: bool = False  # filled with zeros first; else every element is written by the kernel


class Launch(NamedTuple):
    """Everything that one launch needs.

    The first arguments of the kernel are `inputs`, `sizes` and `outputs`. They are all there: JAX
    cannot hand over an input that does not exist, so a flag tells a kernel what it must not read.
    """

    kernel: Any  # triton.JITFunction
    grid: tuple[int, ...]
    inputs: tuple[Array, ...]
    sizes: tuple[int, ...]
    outputs: tuple[Spec, ...]
    # The others by name: scale and strides, what is fixed when the kernel is compiled, and the
    # options of the launch.
    arguments: dict[str, Any]


class Backend(NamedTuple):
    """PyTorch or JAX, as the launches see them."""

    xp: ModuleType  # of its functions, those that both have under the same name
    cast: Callable[[Array, str], Array]
    cumsum: Callable[[Array], Array]  # along the last dimension, as are the next two
    cummax: Callable[[Array], Array]
    inner: Callable[[Array, Array], Array]  # inner product
    strides: Callable[[Array], tuple[int, ...]]  # of all dimensions but the last, which is dense
    capability: Callable[[Array], int]  # of the device, 90 for compute capability 9.0
    run: Callable[[Launch], Sequence[Array]]  # the arrays of `outputs`


def interpreted() -> bool:
    """True if Triton runs kernels in its interpreter, which takes tensors on the CPU."""
    return os.environ.get("TRITON_INTERPRET", "0") in ("1", "true", "on", "yes", "y")
