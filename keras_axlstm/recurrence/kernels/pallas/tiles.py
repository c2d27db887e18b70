"""Sizes of blocks, and what the kernels share."""

import jax
import jax.numpy as jnp

# Steps of a tile and channels of a block are multiples of the lanes of a vector register.
LANES = 128
TILE = 128
# Largest size of the blocks that the backward kernel holds at a time: the 16 MiB of fast memory
# that a kernel gets on every generation, less what the compiler adds for products of tiles.
MOST_BYTES = 12 * 2**20


def padded(size: int, multiple: int) -> int:
    """The least multiple that is at least `size`."""
    return -(-size // multiple) * multiple


def backward_bytes(steps: int, head_dim: int, itemsize: int) -> int:
    """Fast memory for the blocks of the backward kernel; the next ones are loaded meanwhile."""
    steps, head_dim = padded(steps, TILE), padded(head_dim, LANES)
    whole = steps * head_dim * (2 * itemsize + 4)  # query, numerator's gradient; query's gradient
    tile = TILE * head_dim * (2 * itemsize + 2 * 4)  # key, value; their gradients
    return 2 * (whole + tile)


def dot(a: jax.Array, b: jax.Array) -> jax.Array:
    """a b in float32; IEEE float32 products of float32 inputs, plain ones of bfloat16."""
    return _product(a, b, ((1,), (0,)))


def dot_rows(a: jax.Array, b: jax.Array) -> jax.Array:
    """a b^T likewise."""
    return _product(a, b, ((1,), (1,)))


def _product(a, b, contracted):
    exact = jax.lax.Precision.HIGHEST if a.dtype == jnp.float32 else jax.lax.Precision.DEFAULT
    return jax.lax.dot_general(
        a, b, (contracted, ((), ())), precision=exact, preferred_element_type=jnp.float32
    )
