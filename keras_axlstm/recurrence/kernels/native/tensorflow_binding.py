"""The kernels as custom calls of XLA inside TensorFlow, with custom gradients.

A custom call fixes the shapes of its results when the function is traced, and Keras traces with an
open batch dimension. The elements of such a batch are handed over one by one, in a loop that XLA
compiles; that costs one copy of each in cache.
"""

import ctypes
import functools

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from keras_axlstm.recurrence.kernels.native.build import library
from keras_axlstm.recurrence.kernels.native.call import MixerCall, MixerOptions, MLSTMCall, describe

TARGET = "keras_axlstm"


@functools.cache
def register() -> None:
    """Compile the kernels and make them known to XLA."""
    ctypes.CDLL(str(library("tensorflow"))).axlstm_register_tensorflow()


def run(kernel, sizes, inputs, outputs):
    """Call a kernel on tensors of static shape, inside of a function that XLA compiles."""
    register()
    description = describe(kernel, sizes, inputs, outputs)
    specs = [spec for spec in outputs if spec is not None]
    results = iter(
        gen_xla_ops.xla_custom_call_v2(
            [x for x in inputs if x is not None],
            call_target_name=TARGET,
            backend_config=" ".join(map(str, description)),
            has_side_effect=False,
            result_dtypes=[tf.as_dtype(dtype) for _, dtype in specs],
            result_shapes=[shape for shape, _ in specs],
        )
    )
    return [None if spec is None else next(results) for spec in outputs]


def mlstm(call: MLSTMCall, return_state: bool, inputs, initial):
    """h and the last state or None, from five tensors and the initial state or None.

    `call.batch` may be None.
    """
    initial = () if initial is None else initial

    @tf.custom_gradient
    def op(*arrays):
        arrays = _constants(arrays)
        h, l, m, *last = _mlstm_forward(call, return_state, bool(initial))(*arrays)  # noqa: E741

        def gradient(dh, *dlast):
            backward = _mlstm_backward(call, bool(dlast), bool(initial))
            return backward(*arrays, h, l, m, dh, *dlast)

        return (h, *last), gradient

    h, *last = op(*inputs, *initial)
    return h, tuple(last) if return_state else None


def mixer(call: MixerCall, options: MixerOptions, inputs, mask, parameters):
    """y (B, S, channels), as `kernels.mixer` says. `call.batch` may be None."""
    epsilon = tf.constant([options.epsilon], dtype=tf.float32)
    masks = () if mask is None else (mask,)

    @tf.custom_gradient
    def op(inputs, *parameters):
        inputs, *parameters = _constants((inputs, *parameters))
        forward = _mixer_forward(call, bool(masks))
        y, *saved = forward((inputs, *masks), (*parameters, epsilon))

        def gradient(dy):
            backward = _mixer_backward(call, bool(masks))
            return backward((inputs, *masks, *saved, dy), (*parameters, epsilon))

        return y, gradient

    return op(inputs, *parameters)


def _constants(tensors):
    """The same tensors, unwatched: an eager tape would look for the gradient of the custom call."""
    return [tf.stop_gradient(x) for x in tensors]


# The functions below are compiled by XLA on their own where the caller is not.


@functools.cache
def _mlstm_forward(call: MLSTMCall, return_state: bool, stateful: bool):
    def kernel(call, arrays, _):
        results = call.forward(
            run, arrays[:5], tuple(arrays[5:]) if stateful else None, return_state
        )
        return [x for x in results if x is not None]

    return _compiled(lambda *arrays: _by_batch(kernel, call, arrays))


@functools.cache
def _mlstm_backward(call: MLSTMCall, return_state: bool, stateful: bool):
    def kernel(call, arrays, _):
        arrays = list(arrays)
        inputs, arrays = arrays[:5], arrays[5:]
        initial, arrays = (tuple(arrays[:3]), arrays[3:]) if stateful else (None, arrays)
        dlast = tuple(arrays[4:]) if return_state else None
        results = call.backward(run, inputs, initial, arrays[:3], arrays[3], dlast)
        return [x for x in results if x is not None]

    return _compiled(lambda *arrays: _by_batch(kernel, call, arrays))


@functools.cache
def _mixer_forward(call: MixerCall, masked: bool):
    def kernel(call, arrays, shared):
        *parameters, epsilon = shared
        mask = arrays[1] if masked else None
        return call.forward(run, arrays[0], mask, parameters, epsilon, save=True)

    return _compiled(lambda arrays, shared: _by_batch(kernel, call, arrays, shared))


@functools.cache
def _mixer_backward(call: MixerCall, masked: bool):
    def kernel(call, arrays, shared):
        *parameters, epsilon = shared
        inputs, *arrays = arrays
        mask, arrays = (arrays[0], arrays[1:]) if masked else (None, arrays)
        *saved, dy = arrays
        return call.backward(run, inputs, mask, parameters, epsilon, saved, dy)

    def gradients(arrays, shared):
        dinputs, *dparameters = _by_batch(kernel, call, arrays, shared, stack_from=1)
        if call.batch is None:
            dparameters = [tf.reduce_sum(x, axis=0) for x in dparameters]
        return [dinputs, *dparameters]

    return _compiled(gradients)


def _compiled(function):
    return tf.function(function, jit_compile=True, autograph=False)


def _by_batch(kernel, call, arrays, shared=(), stack_from=None):
    """`kernel(call, arrays, shared)`, one element at a time where the batch dimension is open.

    Results have a batch dimension but for those from `stack_from` on, which are stacked.
    """
    if call.batch is not None:
        return kernel(call, arrays, shared)
    single = call._replace(batch=1)

    def element(arrays):
        results = kernel(single, [x[None] for x in arrays], shared)
        return [
            x if stack_from is not None and i >= stack_from else x[0] for i, x in enumerate(results)
        ]

    # Shapes and dtypes of the results, from tracing one element.
    elements = [tf.TensorSpec(x.shape[1:], x.dtype) for x in arrays]
    traced = tf.function(element, autograph=False).get_concrete_function(elements)
    return tf.map_fn(element, list(arrays), fn_output_signature=traced.structured_outputs)
