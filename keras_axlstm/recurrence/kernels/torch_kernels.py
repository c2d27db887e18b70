"""Kernels for PyTorch: C++ on the CPU, Triton on CUDA devices."""

from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.triton import availability
from keras_axlstm.recurrence.kernels.triton.tiles import MAX_HEAD_DIM


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run on the device of `x`."""
    if x.device.type == "cpu":
        return build.unavailable("torch")
    reasons = availability.unavailable(x.device)
    if kernel == "mixer":
        reasons.append("the kernel 'mixer' exists for the CPU only")
    elif x.shape[-1] > MAX_HEAD_DIM:
        reasons.append(f"head_dim is {x.shape[-1]}, the Triton kernels take up to {MAX_HEAD_DIM}")
    return reasons


def language(x) -> str | None:
    """What the kernels for the device of `x` are written in."""
    return "C++" if x.device.type == "cpu" else "Triton"


def mlstm(
    query, key, value, log_i, log_f, state, chunk_size, return_state, otherwise, reverse=False
):
    """h (B, S, NH, DH) float32 and the last state or None."""
    inputs = (query, key, value, log_i, log_f)
    if query.device.type == "cpu":
        from keras_axlstm.recurrence.kernels.native import torch_binding

        return torch_binding.mlstm(*inputs, state, chunk_size, return_state, reverse)
    from keras_axlstm.recurrence.kernels.triton.op import mlstm_triton

    options = {"chunk_size": chunk_size, "reverse": reverse, "return_state": return_state}
    return mlstm_triton(*inputs, state, **options)


def mixer(inputs, mask, parameters, options, otherwise):
    """y (B, S, channels)."""
    from keras_axlstm.recurrence.kernels.native import torch_binding

    return torch_binding.mixer(inputs, mask, parameters, options)
