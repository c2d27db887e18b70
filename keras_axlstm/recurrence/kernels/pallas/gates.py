"""From log gates to the weights that the kernels use, and back to the gates' gradients.

Shapes: B batch, S time, NH heads. These arrays have one number a step, so plain jnp is enough.

With b_t the sum of log f up to t, step j has the log weight `b_t - b_j + log i_j` at step t. Scaled
by exp(-m_t) that is

    exp(source_j - peak_t),    source_j = log i_j - b_j,    peak_t = m_t - b_t.

The sums grow with time while their differences decide, so b is held in two parts: multiples of
1/256, which float32 adds without rounding, and the rest, which stays small. A stabiliser may be any
number near the largest weight, so one float32 number is enough for peak; m is then the m of
exactly that number.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from keras_axlstm.recurrence.gates import LOWEST


class Weights(NamedTuple):
    """Log weights: that of column j in row t is `(coarse_j - peak_t) + fine_j`."""

    coarse: jax.Array  # (B, NH, S) source, the part that grows
    fine: jax.Array  # (B, NH, S) source, the rest
    peak: jax.Array  # (B, NH, S)
    m: jax.Array  # (B, NH, S) stabiliser, at least LOWEST


def prepare(log_i: jax.Array, log_f: jax.Array) -> Weights:
    """Weights from log gates (B, NH, S), the memory being empty at first."""
    rounded = jnp.round(log_f * 256.0) / 256.0
    coarse = jnp.cumsum(rounded, axis=-1)
    fine = jnp.cumsum(log_f - rounded, axis=-1)
    crest = jax.lax.cummax(log_i - fine - coarse, axis=log_i.ndim - 1)
    peak = jnp.maximum(crest, LOWEST - coarse - fine)
    return Weights(-coarse, log_i - fine, peak, (peak + coarse) + fine)


def gate_gradients(rows: jax.Array, columns: jax.Array, diagonal: jax.Array):
    """Gradients of log_i and log_f from those of the log weights, summed; all (B, NH, S) float32.

    A log input gate is part of every use of its step. A log forget gate is part of whatever crosses
    it: rows from it on that read columns before it, which is the sum from it on of all rows minus
    all columns. The diagonal, which crosses nothing, is not in `rows` and `columns`.

    Args:
        rows: a step reading earlier ones.
        columns: a step being read by later ones.
        diagonal: a step reading itself.
    """
    crossing = jax.lax.cumsum(rows - columns, axis=rows.ndim - 1, reverse=True)
    return columns + diagonal, crossing
