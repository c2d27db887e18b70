"""Run functions compiled where eager execution is slow."""

from collections.abc import Callable

import keras


def compiled(function: Callable) -> Callable:
    """`jax.jit(function)` on JAX, which compiles eager operations one by one; else as it is."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function
