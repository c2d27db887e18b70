"""Compile a function of tensors with the compiler of the active backend."""

from collections.abc import Callable
from typing import Any

import keras


def compiled(function: Callable[..., Any], replaces_first: bool = False) -> Callable[..., Any]:
    """`function`, compiled on JAX and TensorFlow; PyTorch runs it as it is.

    Args:
        function: of tensors, or nested structures of them.
        replaces_first: whether its result takes the place of its first argument, which is then not
            used again. JAX writes into the same memory: fresh pages cost it a seventh of a step.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function, donate_argnums=(0,) if replaces_first else ())
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    return function
