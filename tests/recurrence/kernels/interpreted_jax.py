"""`jax_triton.triton_call` without a GPU: the same call, run by Triton's interpreter."""

import inspect

import jax
import ml_dtypes
import numpy as np
import torch


def triton_call(*inputs, kernel, grid, out_shape, zeroed_outputs, compute_capability, **arguments):
    """Arguments as jax-triton takes them: arrays by position, inputs first, the rest by name.

    Outputs are NaN at first, so that what a kernel leaves out shows.
    """

    def run(*arrays):
        tensors = [_tensor(np.asarray(x)) for x in arrays]
        for i, spec in enumerate(out_shape):
            fill = 0.0 if i in zeroed_outputs else float("nan")
            tensors.append(torch.full(spec.shape, fill, dtype=getattr(torch, spec.dtype.name)))
        names = list(inspect.signature(kernel.fn).parameters)
        if len(tensors) + len(arguments.keys() & set(names)) != len(names):
            raise TypeError(f"expected arguments {names}, received {len(tensors)} and {arguments}")
        kernel[grid](**dict(zip(names, tensors, strict=False)), **arguments)
        return [_array(x) for x in tensors[len(arrays) :]]

    return jax.pure_callback(run, out_shape, *inputs, vmap_method="sequential")


def _tensor(x: np.ndarray) -> torch.Tensor:
    if x.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(x.view("int16").copy()).view(torch.bfloat16)
    return torch.from_numpy(x.copy())


def _array(x: torch.Tensor) -> np.ndarray:
    if x.dtype == torch.bfloat16:
        return x.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return x.numpy()
