"""Values and gradients of a function on the active backend."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

# Of products in float32 on JAX, whose operands GPUs would round to TF32.
_FULL_PRECISION = "highest"


def vjp(
    function: Callable, arguments: Sequence[np.ndarray], cotangents: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The outputs of `function(*arguments)`, and the gradients of their product with `cotangents`.

    Args:
        function: from float32 tensors to a list of float32 tensors.
        arguments: float32 arrays.
        cotangents: float32 arrays, one an output, of its shape. Without any there are no
            gradients, and the backend knows that none are wanted.
    """
    to_numpy = keras.ops.convert_to_numpy
    if not cotangents:
        return [to_numpy(x) for x in _without_gradients(function, arguments)], []
    match keras.backend.backend():
        case "jax":
            import jax

            def pull_back(arguments, cotangents):
                outputs, backward = jax.vjp(function, *arguments)
                return outputs, backward(cotangents)

            with jax.default_matmul_precision(_FULL_PRECISION):
                outputs, gradients = jax.jit(pull_back)(arguments, list(cotangents))
        case "tensorflow":
            import tensorflow as tf

            tensors = [tf.constant(x) for x in arguments]
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                outputs = function(*tensors)
            gradients = tape.gradient(outputs, tensors, [tf.constant(x) for x in cotangents])
        case "torch":
            import torch

            tensors = [keras.ops.convert_to_tensor(x).requires_grad_() for x in arguments]
            outputs = function(*tensors)
            weights = [keras.ops.convert_to_tensor(x) for x in cotangents]
            gradients = torch.autograd.grad(outputs, tensors, weights)
        case backend:
            raise NotImplementedError(f"no gradients on the {backend} backend")
    return [to_numpy(x) for x in outputs], [to_numpy(x) for x in gradients]


def _without_gradients(function: Callable, arguments: Sequence[np.ndarray]) -> list:
    match keras.backend.backend():
        case "jax":
            import jax

            with jax.default_matmul_precision(_FULL_PRECISION):
                return jax.jit(function)(*arguments)
        case "torch":
            import torch

            with torch.no_grad():
                return function(*map(keras.ops.convert_to_tensor, arguments))
        case _:
            return function(*map(keras.ops.convert_to_tensor, arguments))
