"""Launches on JAX arrays: as calls in the program that XLA compiles."""

import os

import jax
import jax.numpy as jnp
import jax_triton
from triton import knobs

from keras_axlstm.recurrence.kernels.triton import jax_availability, tiles
from keras_axlstm.recurrence.kernels.triton.launch import Array, Backend, Launch

# From compute capability 9.0 on Triton writes PTX in the version of the newest assembler that it
# brings. JAX assembles it with one of its own, that of CUDA 12.9 in jax[cuda12], which refuses
# versions that it does not know. Any of them reads the version of Triton's older assembler.
os.environ.setdefault("TRITON_PTXAS_BLACKWELL_PATH", knobs.nvidia.ptxas.path)


def _run(launch: Launch) -> list[Array]:
    # Whatever has a name is part of the compiled kernel, strides as well: jax-triton takes no
    # tuples, and does not tell Triton which numbers 16 divides. With constant sizes, loops are
    # unrolled until registers do not suffice.
    def call(*inputs):
        return jax_triton.triton_call(
            *inputs,
            *launch.sizes,
            kernel=launch.kernel,
            grid=launch.grid,
            out_shape=[jax.ShapeDtypeStruct(spec.shape, spec.dtype) for spec in launch.outputs],
            zeroed_outputs=tuple(i for i, spec in enumerate(launch.outputs) if spec.zeros),
            compute_capability=jax_availability.capability(),
            **launch.arguments,
        )

    # jax-triton has no rule for `jax.vmap`.
    return jax.custom_batching.sequential_vmap(call)(*launch.inputs)


# Scans in place of `jnp.cumsum`, which JAX traces again when it lowers a program, outside of the
# context that has float64.
JAX = Backend(
    xp=jnp,
    cast=lambda x, dtype: x.astype(dtype),
    cumsum=lambda x: jax.lax.associative_scan(jnp.add, x, axis=-1),
    cummax=lambda x: jax.lax.associative_scan(jnp.maximum, x, axis=-1),
    # Not a product of matrices, which may be rounded to TF32.
    inner=lambda x, y: jnp.sum(x * y, axis=-1),
    strides=lambda x: _dense_strides(x.shape),
    capability=lambda x: jax_availability.capability() or tiles.INTERPRETED_CAPABILITY,
    run=_run,
)


def _dense_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    _, steps, heads, head_dim = shape
    return steps * heads * head_dim, heads * head_dim, head_dim
