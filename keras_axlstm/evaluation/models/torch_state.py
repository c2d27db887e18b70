"""PyTorch models as arrays and devices."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


def best_device() -> torch.device:
    """The GPU if PyTorch sees one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def state_arrays(model: torch.nn.Module) -> Iterator[np.ndarray]:
    """Parameters and buffers in the order of the model, for hashing."""
    for value in model.state_dict().values():
        if isinstance(value, torch.Tensor):
            # NumPy knows no bfloat16.
            is_bfloat16 = value.dtype == torch.bfloat16
            yield to_array(value.float() if is_bfloat16 else value)


def to_array(tensor: Any) -> np.ndarray:
    """A tensor of any device, without gradients."""
    return tensor.detach().cpu().numpy()
