"""Whether the Triton kernels can be used here."""

import importlib.util

import torch

from keras_axlstm.recurrence.kernels.triton.launch import interpreted
from keras_axlstm.recurrence.kernels.triton.tiles import LEAST_CAPABILITY


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
