"""Whether JAX can use the Triton kernels, found out without importing Triton."""

import importlib.util
import sys

import jax

from keras_axlstm.recurrence.kernels.native.call import MLSTMCall
from keras_axlstm.recurrence.kernels.sharded import parts
from keras_axlstm.recurrence.kernels.triton.tiles import LEAST_CAPABILITY, too_large


def unavailable() -> list[str]:
    """Every reason why XLA cannot be given the kernels for CUDA devices; empty if it can."""
    reasons = []
    if importlib.util.find_spec("jax_triton") is None or importlib.util.find_spec("triton") is None:
        reasons.append("jax-triton is not installed (`pip install jax-triton`)")
    elif "tensorflow" in sys.modules and "triton" not in sys.modules:
        # Both bring an LLVM, and the second one ends the process.
        reasons.append("TensorFlow is loaded, after which Triton cannot be")
    found = capability()
    if found is None:
        reasons.append("JAX sees no CUDA device to compile the kernels for")
    elif found < LEAST_CAPABILITY:
        reasons.append(
            f"a device has compute capability {found / 10}, {LEAST_CAPABILITY / 10} is needed"
        )
    return reasons


def capability() -> int | None:
    """The least compute capability of the CUDA devices, 90 for 9.0; None where there is none.

    Kernels are compiled for it while XLA compiles what surrounds them.
    """
    try:
        devices = jax.local_devices(backend="cuda")
    except RuntimeError:
        return None
    return min(int(device.compute_capability.replace(".", "")) for device in devices)


def takes(call: MLSTMCall) -> bool:
    """Whether the kernels compute a call where JAX compiles for a CUDA device."""
    return parts(call.batch) is not None and takes_heads(call.dim, call.dtype)


def takes_heads(head_dim: int, dtype: str) -> bool:
    """Whether the kernels run on the CUDA devices here, for heads of a size."""
    found = capability()
    return found is not None and not unavailable() and not too_large(head_dim, dtype, found)
