"""The kernels as custom calls of XLA inside TensorFlow, with custom gradients.

TensorFlow hands a module of StableHLO to its XLA compiler and fills in the batch dimension, open
while Keras traces, when it compiles. That works inside functions that XLA compiles as a whole, in
graphs that it does not, and eagerly.
"""

import ctypes
import functools
from pathlib import Path

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops
from tensorflow.python.eager import record

from keras_axlstm.recurrence.kernels.native.block_call import BlockCall, BlockParameters
from keras_axlstm.recurrence.kernels.native.build import library
from keras_axlstm.recurrence.kernels.native.call import (
    MixerCall,
    MixerOptions,
    MixerParameters,
    MLSTMCall,
    ProjectionCall,
    describe,
)

TARGET = "keras_axlstm"
MODULE_VERSION = 9  # of the calling convention of XlaCallModule
TYPES = {"float32": "f32", "bfloat16": "bf16"}


@functools.cache
def register() -> None:
    """Compile the kernels and make them known to the XLA compiler inside TensorFlow."""
    framework = sorted(Path(tf.sysconfig.get_lib()).glob("libtensorflow_framework.*"))[0]
    get_api = ctypes.CDLL(str(framework)).XLA_FFI_GetApi
    if ctypes.CDLL(str(library("tensorflow"))).axlstm_register(get_api, TARGET.encode()):
        raise RuntimeError("its XLA compiler refuses to register them")


def run(kernel, sizes, inputs, outputs):
    """Call a kernel on tensors; the first dimension of any may be open, and is then the batch."""
    register()
    arguments = [x for x in inputs if x is not None]
    specs = [spec for spec in outputs if spec is not None]
    results = iter(
        gen_xla_ops.xla_call_module(
            arguments,
            version=MODULE_VERSION,
            module=_module(describe(kernel, sizes, inputs, outputs), arguments, specs),
            Tout=[tf.as_dtype(dtype) for _, dtype in specs],
            Sout=[tf.TensorShape(shape) for shape, _ in specs],
            platforms=["CPU"],
        )
    )
    return [None if spec is None else next(results) for spec in outputs]


def _module(description, arguments, specs) -> str:
    """StableHLO text of one custom call.

    After the arrays come the shapes of the results, which XLA needs where they are open.
    """
    types = [_type(x.shape, x.dtype.name) for x in arguments]
    results = ", ".join(_type(*spec) for spec in specs)
    arrays = [f"%array{i}" for i in range(len(arguments))]
    shapes = [f"%shape{i}" for i in range(len(specs))]
    shape_types = [f"tensor<{len(shape)}xi32>" for shape, _ in specs]
    indices = ", ".join(str(len(arrays) + i) for i in range(len(specs)))
    signature = ", ".join(f"{name}: {type}" for name, type in zip(arrays, types, strict=True))
    name, names = "%results", ["%results"]
    if len(specs) > 1:
        name, names = f"%results:{len(specs)}", [f"%results#{i}" for i in range(len(specs))]
    lines = [
        "module @keras_axlstm attributes {jax.uses_shape_polymorphism = true} {",
        f"func.func public @main({signature}) -> ({results}) {{",
        f"%batch = stablehlo.get_dimension_size %array0, dim = 0 : ({types[0]}) -> tensor<i32>",
        "%rows = stablehlo.reshape %batch : (tensor<i32>) -> tensor<1xi32>",
    ]
    for shape_name, type, (shape, _) in zip(shapes, shape_types, specs, strict=True):
        lines += _shape_operand(shape_name, type, shape)
    lines += [
        f"{name} = stablehlo.custom_call @{TARGET}({', '.join([*arrays, *shapes])}) {{"
        "api_version = 4 : i32, "
        f"backend_config = {{description = array<i64: {', '.join(map(str, description))}>}}, "
        f"indices_of_shape_operands = dense<[{indices}]> : tensor<{len(specs)}xi64>}} : "
        f"({', '.join([*types, *shape_types])}) -> ({results})",
        f"return {', '.join(names)} : {results}",
        "}",
        "}",
    ]
    return "\n".join(lines)


def _type(shape, dtype: str) -> str:
    dimensions = "".join(f"{'?' if size is None else size}x" for size in shape)
    return f"tensor<{dimensions}{TYPES[dtype]}>"


def _shape_operand(name: str, type: str, shape) -> list[str]:
    """Statements that give `name` the value of `shape`, an open batch dimension first."""
    if shape[0] is not None:
        return [f"{name} = stablehlo.constant dense<{list(shape)}> : {type}"]
    rest = f"tensor<{len(shape) - 1}xi32>"
    return [
        f"{name}rest = stablehlo.constant dense<{list(shape[1:])}> : {rest}",
        f"{name} = stablehlo.concatenate %rows, {name}rest, dim = 0 : "
        f"(tensor<1xi32>, {rest}) -> {type}",
    ]


def mlstm(call: MLSTMCall, return_state: bool, inputs, initial):
    """h and the last state or None, from five tensors and the initial state or None."""
    stateful = initial is not None

    @tf.custom_gradient
    def op(*tensors):
        tensors = _constants(tensors)
        inputs, initial = tensors[:5], tuple(tensors[5:]) or None
        h, l, m, *last = call.forward(run, inputs, initial, return_state)  # noqa: E741
        last = last if return_state else []

        def gradient(dh, *dlast):
            saved = (h, l, m)
            gradients = call.backward(run, inputs, initial, saved, dh, dlast or None)
            return gradients[: 8 if stateful else 5]

        return (h, *last), gradient

    h, *last = op(*inputs, *(initial or ()))
    return h, tuple(last) if return_state else None


def mixer(call: MixerCall, options: MixerOptions, inputs, mask, parameters):
    """y (B, S, channels), as `kernels.mixer` says."""
    epsilon = tf.constant([options.epsilon], dtype=tf.float32)
    # Of tensors only: of a variable in a distributed function, TensorFlow's check leaves an
    # exception set, which surfaces in whatever is called next.
    tensors = [tf.convert_to_tensor(x) for x in (inputs, *parameters)]
    save = record.should_record_backprop(tensors)

    @tf.custom_gradient
    def op(*tensors):
        inputs, *weights = _constants(tensors)
        arguments = (inputs, mask, MixerParameters(*weights), epsilon)
        y, *saved = call.forward(run, *arguments, save)

        def gradient(dy):
            # A tape around a function that was traced without one: computed once more.
            known = saved if save else call.forward(run, *arguments, save=True)[1:]
            return call.backward(run, *arguments, known, dy)

        return y, gradient

    return op(*tensors)


def projection(call: ProjectionCall, x, kernel):
    """x kernel, (rows, outputs)."""

    @tf.custom_gradient
    def op(*tensors):
        x, kernel = _constants(tensors)
        return call.forward(run, x, kernel), functools.partial(call.backward, run, x, kernel)

    return op(x, kernel)


def block(call: BlockCall, otherwise, inputs, mask, parameters):
    """(B, S, width); `otherwise` where gradients are wanted."""
    inputs, *weights = map(tf.convert_to_tensor, (inputs, *parameters))
    if record.should_record_backprop([inputs, *weights]):
        return otherwise(inputs, mask, BlockParameters(*weights))
    epsilons = tf.constant(call.options.epsilons(), dtype=tf.float32)

    @tf.custom_gradient
    def op(*tensors):
        inputs, *weights = tensors = _constants(tensors)

        def gradient(dy):
            # A tape around a function that was traced without one.
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                y = otherwise(inputs, mask, BlockParameters(*weights))
            return tape.gradient(y, tensors, dy)

        return call.forward(run, inputs, mask, weights, epsilons), gradient

    return op(inputs, *weights)


def _constants(tensors):
    """The same tensors, unwatched: an eager tape would look for the gradient of the custom call."""
    return [tf.stop_gradient(x) for x in tensors]
