"""Whether the Triton kernels can be used here."""

import importlib.util
import os

import torch

LEAST_CAPABILITY = (8, 0)  # bfloat16 products


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
    elif device.type == "cuda" and torch.cuda.get_device_capability(device) < LEAST_CAPABILITY:
        received = ".".join(map(str, torch.cuda.get_device_capability(device)))
        needed = ".".join(map(str, LEAST_CAPABILITY))
        reasons.append(f"the device has compute capability {received}, {needed} is needed")
    return reasons


def interpreted() -> bool:
    """True if Triton runs kernels in its interpreter, which takes tensors on the CPU."""
    return os.environ.get("TRITON_INTERPRET", "0") in ("1", "true", "on", "yes", "y")
