"""Fused kernels: what there is for the active backend, and whether to use it.

The only place of the package that imports a backend, one file each. A backend's module has

- `unavailable(kernel, x)`: every reason why a kernel cannot run on the device of the tensor `x`;
- `language(kernel, x)`: what a kernel for that device is written in, None if there is none;
- `mlstm(...)`, `mixer(...)`, `projection(...)` and `block(...)`: the kernels.
"""

import contextlib
import importlib
import types
from collections.abc import Iterator

import keras

from keras_axlstm.recurrence.kernels.native.block_call import BlockOptions as BlockOptions
from keras_axlstm.recurrence.kernels.native.block_call import BlockParameters as BlockParameters
from keras_axlstm.recurrence.kernels.native.call import MixerOptions as MixerOptions
from keras_axlstm.recurrence.kernels.native.call import MixerParameters as MixerParameters

KERNELS = ("mlstm", "mixer", "projection", "block")
# Without the first `keras.ops` lets the backend compute it, which is no loss on most machines;
# without the second its parts are computed one after the other.
OPTIONAL = ("projection", "block")
IMPLEMENTATIONS = ("auto", "ops", "fused")

_default = "auto"
# The backend of a process does not change.
_BACKEND_KERNELS = (
    importlib.import_module(f"keras_axlstm.recurrence.kernels.{keras.backend.backend()}_kernels")
    if keras.backend.backend() in ("jax", "tensorflow", "torch")
    else None
)


def set_implementation(implementation: str) -> None:
    """What `implementation="auto"` stands for from now on, in functions not yet traced.

    Args:
        implementation: `"ops"` (only `keras.ops`, as an export to another runtime needs), `"fused"`
            (kernels; an error where there is none) or `"auto"` (kernels where there are).

    Raises:
        ValueError: another value.
    """
    global _default
    check_implementation(implementation)
    _default = implementation


@contextlib.contextmanager
def implementation_set_to(implementation: str) -> Iterator[None]:
    """`set_implementation` for a block of code."""
    earlier = _default
    set_implementation(implementation)
    try:
        yield
    finally:
        set_implementation(earlier)


def kernels_wanted() -> bool:
    """Whether `implementation="auto"` may stand for a kernel."""
    return _default != "ops"


def check_implementation(received: str) -> None:
    """Raise ValueError for an unknown implementation."""
    if received not in IMPLEMENTATIONS:
        raise ValueError(
            f"`implementation` must be one of {IMPLEMENTATIONS}. Received: {received!r}"
        )


def backend_kernels() -> types.ModuleType | None:
    """The module of the active backend, None for a backend without kernels."""
    return _BACKEND_KERNELS


def unavailable(kernel: str, x) -> list[str]:
    """Every reason why `kernel` cannot be used for a tensor like `x`; empty if it can."""
    module = backend_kernels()
    if module is None:
        return [f"there are no kernels for the {keras.backend.backend()} backend"]
    return module.unavailable(kernel, x)


def language(kernel: str, x) -> tuple[str | None, list[str]]:
    """What computes `kernel` for tensors like `x` under `"auto"`.

    Returns:
        The language of the kernel and no reasons, or None for `keras.ops` and every reason.
    """
    module = backend_kernels()
    reasons = unavailable(kernel, x)
    if module is None or reasons:
        return None, reasons
    found = module.language(kernel, x)
    return found, [] if found else [f"{kernel}: there is none for this device"]


def choose(kernel: str, implementation: str, x, reasons=()) -> types.ModuleType | None:
    """The module with the kernel to use, or None for `keras.ops`.

    Args:
        kernel: one of `KERNELS`.
        implementation: `"auto"`, `"ops"` or `"fused"`.
        x: a tensor of the call, for its device.
        reasons: why this call cannot use the kernel, if the caller knows any.

    Raises:
        NotImplementedError: a kernel is asked for and cannot be used; says every reason.
    """
    if implementation == "auto":
        implementation = _default
    if implementation == "ops":
        return None
    if implementation == "auto" and reasons:
        return None
    reasons = [*reasons, *unavailable(kernel, x)]
    if not reasons:
        return backend_kernels()
    if implementation == "fused":
        listed = "\n".join(f"- {reason}" for reason in reasons)
        raise NotImplementedError(f"the fused kernel {kernel!r} cannot be used here:\n{listed}")
    return None


def choose_optional(kernel: str, x) -> types.ModuleType | None:
    """As `choose`, for one of `OPTIONAL`: even `"fused"` does without it where there is none."""
    if _default == "ops" or unavailable(kernel, x):
        return None
    return backend_kernels()


def plain_inference(layers: list[keras.Layer], x) -> bool:
    """Whether `layer.call(x)` is all that calling each of the layers comes to."""
    check = getattr(_BACKEND_KERNELS, "plain_inference", None)
    return check is not None and check(layers, x)


def kernel_dtype(*tensors) -> str:
    """The dtype in which kernels read tensors: bfloat16 if all are, else float32."""
    dtypes = {keras.backend.standardize_dtype(x.dtype) for x in tensors}
    return "bfloat16" if dtypes == {"bfloat16"} else "float32"
