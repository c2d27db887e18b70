"""Kernels for TensorFlow: C++ on the CPU."""

import functools

import tensorflow as tf

from keras_axlstm.recurrence.kernels.failures import failed_self_check
from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.native.block_call import block_call
from keras_axlstm.recurrence.kernels.native.call import mixer_call, mlstm_call, projection_call


def unavailable(kernel, x) -> list[str]:
    """Every reason why `kernel` cannot run."""
    accelerators = [kind for kind in ("GPU", "TPU") if tf.config.list_physical_devices(kind)]
    if accelerators:
        return [f"{kernel}: there is none for the device {accelerators[0]}"]
    if x.shape[1] is None:
        return [f"{kernel}: the number of time steps must be known when TensorFlow traces"]
    return (build.problems(kernel, "tensorflow") or _refused()) + failed_self_check(kernel)


@functools.cache
def _refused() -> list[str]:
    """Why this TensorFlow does not take the kernels, which lean on what it does not document."""
    try:
        from keras_axlstm.recurrence.kernels.native import tensorflow_binding

        tensorflow_binding.register()
    except (ImportError, AttributeError, IndexError, OSError, RuntimeError) as error:
        return [f"TensorFlow {tf.__version__} does not take the kernels: {error}"]
    return []


def language(kernel, x) -> str | None:
    """What the kernels are written in."""
    return "C++"


def mlstm(
    query, key, value, log_i, log_f, state, chunk_size, return_state, otherwise, reverse=False
):
    """h (B, S, NH, DH) float32 and the last state or None."""
    from keras_axlstm.recurrence.kernels.native import tensorflow_binding

    call = mlstm_call(query, chunk_size, reverse)
    inputs = (query, key, value, log_i, log_f)
    return tensorflow_binding.mlstm(call, return_state, inputs, state)


def mixer(inputs, mask, parameters, options, otherwise):
    """y (B, S, channels)."""
    from keras_axlstm.recurrence.kernels.native import tensorflow_binding

    call = mixer_call(inputs, parameters, options)
    return tensorflow_binding.mixer(call, options, inputs, mask, parameters)


def projection(x, kernel, otherwise):
    """x kernel, (rows, outputs)."""
    from keras_axlstm.recurrence.kernels.native import tensorflow_binding

    return tensorflow_binding.projection(projection_call(x, kernel), x, kernel)


def block(inputs, mask, parameters, options, otherwise):
    """(B, S, width)."""
    from keras_axlstm.recurrence.kernels.native import tensorflow_binding

    call = block_call(inputs, parameters, options)
    return tensorflow_binding.block(call, otherwise, inputs, mask, parameters)
