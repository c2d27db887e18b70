"""Kernels for JAX: C++ on CPUs, Pallas on TPUs, chosen by platform when XLA compiles."""

import jax

from keras_axlstm.recurrence.kernels.failures import failed_self_check
from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.native.call import mixer_call, mlstm_call, projection_call


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run.

    The platform is known only when XLA compiles; where JAX finds a TPU it needs no C++ compiler.
    """
    if kernel == "projection":
        problems = build.without_tiles("jax")
    elif kernel == "mlstm" and jax.default_backend() == "tpu":
        problems = []
    else:
        problems = build.unavailable("jax")
    return problems + failed_self_check(kernel)


def language(kernel, x) -> str | None:
    """What XLA takes where it compiles for the default platform."""
    platform = jax.default_backend()
    if platform == "tpu":
        return "Pallas" if kernel == "mlstm" else None
    return "C++" if platform == "cpu" else None


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
