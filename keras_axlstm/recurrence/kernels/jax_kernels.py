"""Kernels for JAX: C++ on CPUs, Pallas on TPUs, Triton on NVIDIA devices.

XLA takes those of the platform that it compiles for.
"""

import jax

from keras_axlstm.recurrence.kernels.failures import failed_self_check
from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.native.block_call import block_call
from keras_axlstm.recurrence.kernels.native.call import mixer_call, mlstm_call, projection_call
from keras_axlstm.recurrence.kernels.triton import jax_availability


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run.

    The platform is known only when XLA compiles; where JAX finds a device with kernels of another
    language it needs no C++ compiler.
    """
    if language(kernel, x) in ("Pallas", "Triton"):
        problems = []
    else:
        problems = build.problems(kernel, "jax")
    return problems + failed_self_check(kernel)


def language(kernel, x) -> str | None:
    """What XLA takes where it compiles for the default platform."""
    platform = jax.default_backend()
    if platform == "cpu":
        return "C++"
    if platform == "tpu" and kernel == "mlstm":
        return "Pallas"
    if platform == "gpu" and kernel == "mlstm":
        return "Triton" if jax_availability.takes_heads(x.shape[-1], str(x.dtype)) else None
    return None


def mlstm(
    query, key, value, log_i, log_f, state, chunk_size, return_state, otherwise, reverse=False
):
    """h (B, S, NH, DH) float32 and the last state or None; `otherwise` where there is no kernel."""
    from keras_axlstm.recurrence.kernels.native import jax_binding

    call = mlstm_call(query, chunk_size, reverse)
    inputs = (query, key, value, log_i, log_f)
    return jax_binding.mlstm(call, return_state, otherwise, inputs, state)


def mixer(inputs, mask, parameters, options, otherwise):
    """y (B, S, channels); `otherwise` where there is no kernel."""
    from keras_axlstm.recurrence.kernels.native import jax_binding

    call = mixer_call(inputs, parameters, options)
    return jax_binding.mixer(call, options.epsilon, otherwise, inputs, mask, parameters)


def projection(x, kernel, otherwise):
    """x kernel, (rows, outputs); `otherwise` where there is no kernel."""
    from keras_axlstm.recurrence.kernels.native import jax_binding

    return jax_binding.projection(projection_call(x, kernel), otherwise, x, kernel)


def block(inputs, mask, parameters, options, otherwise):
    """(B, S, width); `otherwise` where there is no kernel, and where gradients are wanted."""
    from keras_axlstm.recurrence.kernels.native import jax_binding

    call = block_call(inputs, parameters, options)
    return jax_binding.block(call, otherwise, inputs, mask, parameters)
