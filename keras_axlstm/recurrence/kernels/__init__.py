"""Fused kernels, one file a backend: the only place of the package that imports a backend.

`fused_kernel` returns the kernel for the active backend, or raises NotImplementedError with the
reason why there is none.
"""

from collections.abc import Callable

import keras


def fused_kernel(form: str) -> Callable:
    """The fused implementation of `form` on the active backend."""
    raise NotImplementedError(
        f"no fused kernel of the {form} form exists for the {keras.backend.backend()} backend yet"
    )
