"""Launches on PyTorch tensors."""

import torch

from keras_axlstm.recurrence.kernels.triton import availability
from keras_axlstm.recurrence.kernels.triton.launch import Backend, Launch


def _run(launch: Launch) -> list[torch.Tensor]:
    device = launch.inputs[0].device
    outputs = [
        (torch.zeros if zeros else torch.empty)(shape, dtype=getattr(torch, dtype), device=device)
        for shape, dtype, zeros in launch.outputs
    ]
    launch.kernel[launch.grid](*launch.inputs, *launch.sizes, *outputs, **launch.arguments)
    return outputs


TORCH = Backend(
    xp=torch,
    cast=lambda x, dtype: x.to(getattr(torch, dtype)),
    cumsum=lambda x: torch.cumsum(x, -1),
    cummax=lambda x: torch.cummax(x, -1).values,
    inner=torch.linalg.vecdot,
    strides=lambda x: x.stride()[:-1],
    capability=lambda x: availability.capability(x.device),
    run=_run,
)
