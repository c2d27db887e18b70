"""Whether the Triton kernels can be used here."""

import importlib.util

import torch

from keras_axlstm.recurrence.kernels.triton.launch import interpreted
from keras_axlstm.recurrence.kernels.triton.tiles import (
    INTERPRETED_CAPABILITY,
    LEAST_CAPABILITY,
)


def unavailable(device: torch.device | str) -> list[str]:
    """Every reason why the kernels cannot run on tensors of `device`; empty if they can."""
    if importlib.util.find_spec("triton") is None:
        return ["Triton is not installed (`pip install triton`)"]
    if interpreted():
        return []
    device = torch.device(device)
    reasons = []
    if device.type != "cuda":
        reasons.append(f"the kernels run on CUDA devices, the tensors are on {device}")
    if not torch.cuda.is_available():
        reasons.append("PyTorch sees no CUDA device")
    elif torch.version.cuda is None:
        reasons.append("the kernels are tuned and tested for NVIDIA devices only")
    elif device.type == "cuda" and capability(device) < LEAST_CAPABILITY:
        reasons.append(
            f"the device has compute capability {capability(device) / 10}, "
            f"{LEAST_CAPABILITY / 10} is needed"
        )
    return reasons


def capability(device: torch.device | str) -> int:
    """The compute capability of a CUDA device, 90 for 9.0; elsewhere that of the interpreter."""
    device = torch.device(device)
    if device.type != "cuda":
        return INTERPRETED_CAPABILITY
    major, minor = torch.cuda.get_device_capability(device)
    return 10 * major + minor
