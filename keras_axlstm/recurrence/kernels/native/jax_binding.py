"""The kernels as a target of XLA's foreign function interface, with custom derivatives.

XLA takes those of the platform that it compiles for: these on CPUs, Pallas kernels on TPUs, Triton
kernels on NVIDIA devices.
"""

import ctypes
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.native.block_call import BlockCall
from keras_axlstm.recurrence.kernels.native.call import (
    MixerCall,
    MLSTMCall,
    ProjectionCall,
    describe,
)
from keras_axlstm.recurrence.kernels.pallas import op as pallas
from keras_axlstm.recurrence.kernels.sharded import on_every_device, parts
from keras_axlstm.recurrence.kernels.triton import jax_availability

TARGET = "keras_axlstm"


@functools.cache
def register() -> None:
    """Compile the kernels and make them known to XLA."""
    functions = ctypes.CDLL(str(build.library("jax")))
    jax.ffi.register_ffi_target(TARGET, jax.ffi.pycapsule(functions.axlstm_xla), platform="cpu")


def run(kernel, sizes, inputs, outputs):
    """Call a kernel on arrays, inside or outside of a compiled function."""
    register()
    description = np.array(describe(kernel, sizes, inputs, outputs), dtype="int64")
    specs = [jax.ShapeDtypeStruct(*spec) for spec in outputs if spec is not None]
    call = jax.ffi.ffi_call(TARGET, specs, vmap_method="sequential")
    results = iter(call(*(x for x in inputs if x is not None), description=description))
    return [None if spec is None else next(results) for spec in outputs]


# Where XLA compiles for a platform without kernels, `otherwise` computes the same, and its
# gradients from the inputs alone: nothing of it is kept from the forward pass.


class Kernels(NamedTuple):
    """What a platform has for a call of the op `mlstm`."""

    # (inputs, initial) to (h, last) and (h, l, m); states are None where there are none.
    forward: Callable
    # (inputs, initial, (h, l, m), gradients of h and last) to those of inputs and initial.
    backward: Callable


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def mlstm(call: MLSTMCall, return_state: bool, otherwise, inputs, initial):
    """h and the last state or None, from five arrays and the initial state or None."""
    return _mlstm_forward(call, return_state, otherwise, inputs, initial)[0]


def _mlstm_forward(call, return_state, otherwise, inputs, initial):
    platforms = _platforms(call, return_state, initial)

    def fallback(inputs, initial):
        return otherwise(inputs, initial), _zeros(call.results())

    kernels = {platform: kernels.forward for platform, kernels in platforms.items()}
    outputs, results = jax.lax.platform_dependent(inputs, initial, **kernels, default=fallback)
    return outputs, (inputs, initial, results)


def _mlstm_backward(call, return_state, otherwise, saved, gradients):
    def fallback(inputs, initial, results, gradients):
        return jax.vjp(otherwise, inputs, initial)[1](gradients)

    platforms = _platforms(call, return_state, saved[1])
    kernels = {platform: kernels.backward for platform, kernels in platforms.items()}
    return jax.lax.platform_dependent(*saved, gradients, **kernels, default=fallback)


mlstm.defvjp(_mlstm_forward, _mlstm_backward)


def _platforms(call: MLSTMCall, return_state: bool, initial) -> dict[str, Kernels]:
    """Kernels of every platform that has some for a call."""
    platforms = {}
    if not build.unavailable("jax"):
        platforms["cpu"] = _native_kernels(call, return_state)
    if not return_state and initial is None and pallas.takes(call):
        platforms["tpu"] = _pallas_kernels()
    if jax_availability.takes(call):
        platforms["cuda"] = _triton_kernels(call, return_state)
    return platforms


def _native_kernels(call: MLSTMCall, return_state: bool) -> Kernels:
    call, spread = _part(call)

    def forward(inputs, initial):
        h, l, m, *last = call.forward(run, inputs, initial, return_state)  # noqa: E741
        return (h, tuple(last) if return_state else None), (h, l, m)

    def backward(inputs, initial, results, gradients):
        arrays = call.backward(run, inputs, initial, results, *gradients)
        return tuple(arrays[:5]), None if initial is None else tuple(arrays[5:])

    return Kernels(
        lambda *arrays: spread(forward, arrays), lambda *arrays: spread(backward, arrays)
    )


def _part(call):
    """The call that every device makes, and what spreads the work over them."""
    count = parts(call[0])
    if count is None:  # XLA gathers the arrays
        return call, lambda kernel, batched, shared=(), summed=False: kernel(*batched, *shared)
    return call._replace(**{call._fields[0]: call[0] // count}), on_every_device


def _pallas_kernels() -> Kernels:
    def forward(inputs, initial):
        h, l, m = on_every_device(pallas.forward, inputs)  # noqa: E741
        return (h, None), (h, l, m)

    def backward(inputs, initial, results, gradients):
        dh, _ = gradients
        return on_every_device(pallas.backward, (*inputs, *results, dh)), None

    return Kernels(forward, backward)


def _triton_kernels(call: MLSTMCall, return_state: bool) -> Kernels:
    # Imports Triton, which not every installation has.
    from keras_axlstm.recurrence.kernels.triton import jax_op

    forward = functools.partial(jax_op.forward, call, return_state)
    backward = functools.partial(jax_op.backward, call)
    return Kernels(
        lambda *arrays: on_every_device(forward, arrays),
        lambda *arrays: on_every_device(backward, arrays),
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def mixer(call: MixerCall, epsilon: float, otherwise, inputs, mask, parameters):
    """y (B, S, channels), as `kernels.mixer` says."""
    part, spread = _part(call)

    def kernel(inputs, mask, parameters):
        def forward(inputs, mask, parameters):
            return part.forward(run, inputs, mask, parameters, _array(epsilon), save=False)[0]

        return spread(forward, (inputs, mask), (parameters,))

    return jax.lax.platform_dependent(inputs, mask, parameters, cpu=kernel, default=otherwise)


def _mixer_forward(call, epsilon, otherwise, inputs, mask, parameters):
    part, spread = _part(call)

    def kernel(inputs, mask, parameters):
        def forward(inputs, mask, parameters):
            y, *saved = part.forward(run, inputs, mask, parameters, _array(epsilon), save=True)
            return y, tuple(saved)

        return spread(forward, (inputs, mask), (parameters,))

    def fallback(inputs, mask, parameters):
        return otherwise(inputs, mask, parameters), _zeros(call.saved())

    platforms = {"cpu": kernel, "default": fallback}
    y, saved = jax.lax.platform_dependent(inputs, mask, parameters, **platforms)
    return y, (inputs, mask, parameters, saved)


def _mixer_backward(call, epsilon, otherwise, residuals, dy):
    part, spread = _part(call)

    def kernel(inputs, mask, parameters, saved, dy):
        def backward(inputs, mask, saved, dy, parameters):
            arguments = (inputs, mask, parameters, _array(epsilon), saved, dy)
            dinputs, *dparameters = part.backward(run, *arguments)
            return dinputs, tuple(dparameters)

        batched = (inputs, mask, saved, dy)
        dinputs, dparameters = spread(backward, batched, (parameters,), summed=True)
        dmask = None if mask is None else jnp.zeros_like(mask)
        return dinputs, dmask, type(parameters)(*dparameters)

    def fallback(inputs, mask, parameters, saved, dy):
        return jax.vjp(otherwise, inputs, mask, parameters)[1](dy)

    return jax.lax.platform_dependent(*residuals, dy, cpu=kernel, default=fallback)


mixer.defvjp(_mixer_forward, _mixer_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def projection(call: ProjectionCall, otherwise, x, kernel):
    """x kernel, (rows, outputs)."""
    return _projection_forward(call, otherwise, x, kernel)[0]


def _projection_forward(call, otherwise, x, kernel):
    part, spread = _part(call)

    def native(x, kernel):
        return spread(functools.partial(part.forward, run), (x,), (kernel,))

    y = jax.lax.platform_dependent(x, kernel, cpu=native, default=otherwise)
    return y, (x, kernel)


def _projection_backward(call, otherwise, saved, dy):
    def fallback(x, kernel, dy):
        return jax.vjp(otherwise, x, kernel)[1](dy)

    part, spread = _part(call)

    def native(x, kernel, dy):
        def backward(x, dy, kernel):
            return part.backward(run, x, kernel, dy)

        return spread(backward, (x, dy), (kernel,), summed=True)

    return jax.lax.platform_dependent(*saved, dy, cpu=native, default=fallback)


projection.defvjp(_projection_forward, _projection_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def block(call: BlockCall, otherwise, inputs, mask, parameters):
    """(B, S, width); `otherwise` where gradients are wanted."""
    part, spread = _part(call)

    def kernel(inputs, mask, parameters):
        def forward(inputs, mask, parameters):
            epsilons = jnp.array(call.options.epsilons(), dtype="float32")
            return part.forward(run, inputs, mask, parameters, epsilons)

        return spread(forward, (inputs, mask), (parameters,))

    return jax.lax.platform_dependent(inputs, mask, parameters, cpu=kernel, default=otherwise)


def _block_forward(call, otherwise, inputs, mask, parameters):
    return jax.vjp(otherwise, inputs, mask, parameters)


def _block_backward(call, otherwise, pull_back, dy):
    return pull_back(dy)


block.defvjp(_block_forward, _block_backward)


def _array(x: float):
    return jnp.full((1,), x, dtype="float32")


def _zeros(specs):
    """What a kernel saves, as zeros that nothing reads: all platforms return the same shapes."""
    return tuple(jnp.zeros(*spec) for spec in specs)
