"""Gradients on the active backend."""

from collections.abc import Callable, Sequence

import keras
import numpy as np


def gradients(function: Callable[[], object], variables: list[keras.Variable]) -> list[np.ndarray]:
    """Gradients of the scalar `function()` with respect to trainable Keras variables."""
    match keras.backend.backend():
        case "jax":
            import jax

            def stateless(values):
                with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
                    return function()

            result = jax.jit(jax.grad(stateless))([variable.value for variable in variables])
        case "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = function()
            result = tape.gradient(loss, [variable.value for variable in variables])
        case "torch":
            import torch

            result = torch.autograd.grad(function(), [variable.value for variable in variables])
    return [keras.ops.convert_to_numpy(gradient) for gradient in result]


def vjp(
    function: Callable,
    arguments: Sequence[np.ndarray],
    cotangent: np.ndarray,
    compile: bool = True,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """`function(*arguments)` and the gradients of its product with `cotangent`.

    `compile=False` keeps JAX eager, for long unrolled loops.
    """
    arguments = [np.asarray(x, "float32") for x in arguments]
    cotangent = np.asarray(cotangent, "float32")
    match keras.backend.backend():
        case "jax":
            import jax

            def pull_back(cotangent, *arguments):
                output, backward = jax.vjp(function, *arguments)
                return output, backward(cotangent)

            run = jax.jit(pull_back) if compile else pull_back
            output, result = run(cotangent, *arguments)
        case "tensorflow":
            import tensorflow as tf

            tensors = [tf.constant(x) for x in arguments]
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                output = function(*tensors)
            result = tape.gradient(output, tensors, output_gradients=tf.constant(cotangent))
        case "torch":
            import torch

            tensors = [keras.ops.convert_to_tensor(x).requires_grad_() for x in arguments]
            output = function(*tensors)
            weights = keras.ops.convert_to_tensor(cotangent)
            result = torch.autograd.grad(output, tensors, weights)
    to_numpy = keras.ops.convert_to_numpy
    return to_numpy(output), [to_numpy(gradient) for gradient in result]
