"""Kernels for PyTorch: C++ on the CPU, Triton on CUDA devices."""

import torch

from keras_axlstm.recurrence.kernels.failures import failed_self_check
from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.triton import availability
from keras_axlstm.recurrence.kernels.triton.tiles import too_large


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run on the device of `x`."""
    return _unavailable(kernel, str(x.device), x.shape[-1], str(x.dtype).removeprefix("torch."))


# `torch.compile` calls it and takes the answer, instead of tracing through compiler and files.
@torch.compiler.assume_constant_result
def _unavailable(kernel: str, device: str, head_dim: int, dtype: str) -> list[str]:
    if device == "cpu":
        return build.problems(kernel, "torch") + failed_self_check(kernel)
    reasons = availability.unavailable(device)
    if kernel != "mlstm":
        reasons.append(f"the kernel {kernel!r} exists for the CPU only")
    elif not reasons:
        reasons += too_large(head_dim, dtype, availability.capability(device))
    return reasons + failed_self_check(kernel)


def language(kernel, x) -> str | None:
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


def projection(x, kernel, otherwise):
    """x kernel, (rows, outputs)."""
    from keras_axlstm.recurrence.kernels.native import torch_binding

    return torch_binding.projection(x, kernel)


def block(inputs, mask, parameters, options, otherwise):
    """(B, S, width); `otherwise` where gradients are wanted."""
    if torch.is_grad_enabled() and any(x.requires_grad for x in (inputs, *parameters)):
        return otherwise(inputs, mask, parameters)
    from keras_axlstm.recurrence.kernels.native import torch_binding

    return torch_binding.block(inputs, mask, parameters, options)


def plain_inference(layers, x):
    """In eager inference in float32, on a tensor without a mask, if no hook looks on."""
    return (
        type(x) is torch.Tensor
        and x.dtype is torch.float32
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and getattr(x, "_keras_mask", None) is None
        and all(
            layer.compute_dtype == "float32"
            and not (layer._forward_hooks or layer._forward_pre_hooks)
            for layer in layers
        )
    )
