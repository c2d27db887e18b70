"""`jax_triton.triton_call` without a GPU: the same call, run by Triton's interpreter."""

import inspect

import jax
import ml_dtypes
import numpy as np
import torch


def triton_call(*arguments, kernel, grid, out_shape, zeroed_outputs, compute_capability, **named):
    """Arguments as jax-triton takes them: arrays and sizes by position, before the outputs, all
    else by name.

    Outputs are NaN at first, so that what a kernel leaves out shows.
    """
    parameters = list(inspect.signature(kernel.fn).parameters)
    by_position = parameters[: len(arguments) + len(out_shape)]
    if set(parameters) - {*by_position} != named.keys() & {*parameters}:
        raise TypeError(f"expected arguments {parameters}, received {by_position} and {named}")

    def run(*arrays):
        tensors = map(_tensor, arrays)
        inputs = [x if isinstance(x, int) else next(tensors) for x in arguments]
        outputs = [
            torch.full(spec.shape, 0.0 if i in zeroed_outputs else float("nan"), dtype=_dtype(spec))
            for i, spec in enumerate(out_shape)
        ]
        kernel[grid](*inputs, *outputs, **named)
        return [_array(x) for x in outputs]

    arrays = [x for x in arguments if not isinstance(x, int)]
    return jax.pure_callback(run, out_shape, *arrays, vmap_method="sequential")


def _dtype(spec) -> torch.dtype:
    return getattr(torch, spec.dtype.name)


def _tensor(x) -> torch.Tensor:
    x = np.asarray(x)
    if x.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(x.view("int16").copy()).view(torch.bfloat16)
    return torch.from_numpy(x.copy())


def _array(x: torch.Tensor) -> np.ndarray:
    if x.dtype == torch.bfloat16:
        return x.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return x.numpy()
