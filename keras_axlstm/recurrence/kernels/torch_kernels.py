"""Kernels for PyTorch: C++ on the CPU."""

from keras_axlstm.recurrence.kernels.native import build


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run on the device of `x`."""
    if x.device.type != "cpu":
        return [f"{kernel}: there is none for the device {x.device.type!r}"]
    return build.unavailable("torch")


def mlstm(
    query, key, value, log_i, log_f, state, chunk_size, return_state, otherwise, reverse=False
):
    """h (B, S, NH, DH) float32 and the last state or None."""
    from keras_axlstm.recurrence.kernels.native import torch_binding

    return torch_binding.mlstm(
        query, key, value, log_i, log_f, state, chunk_size, return_state, reverse
    )


def mixer(inputs, mask, parameters, options, otherwise):
    """y (B, S, channels)."""
    from keras_axlstm.recurrence.kernels.native import torch_binding

    return torch_binding.mixer(inputs, mask, parameters, options)
