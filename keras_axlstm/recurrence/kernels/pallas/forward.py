"""h of all steps, in tiles of rows; the scores of one tile exist at a time.

With W_ij = s (q_i . k_j) exp(source_j - peak_i) for j <= i,

    l_i = sum_j W_ij,    h_i = sum_j W_ij v_j / (max(|l_i|, exp(-m_i)) + 1e-6).
"""

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from keras_axlstm.recurrence.gates import EPSILON, SHUT
from keras_axlstm.recurrence.kernels.pallas.gates import Weights
from keras_axlstm.recurrence.kernels.pallas.tiles import TILE, dot, dot_rows


def forward_kernel(
    query_ref,  # (TILE, DH)
    key_ref,  # (S, DH)
    value_ref,  # (S, DH)
    coarse_ref,  # (1, S)
    fine_ref,  # (1, S)
    peak_ref,  # (1, TILE)
    m_ref,  # (1, TILE)
    h_ref,  # (TILE, DH) out
    l_ref,  # (1, TILE) out
    *,
    scale: float,
):
    """One program: a tile of rows of one head, with the columns up to it."""
    i = pl.program_id(2)
    query, peak = query_ref[...], peak_ref[...].T
    row = i * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 0)
    h_ref[...] = jnp.zeros_like(h_ref)

    def read(j, row_sum):
        columns = pl.ds(pl.multiple_of(j * TILE, TILE), TILE)
        column = j * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 1)
        log_weight = (coarse_ref[:, columns] - peak) + fine_ref[:, columns]
        weight = jnp.exp(jnp.where(column <= row, log_weight, SHUT)) * scale
        weight *= dot_rows(query, key_ref[columns, :])
        h_ref[...] += dot(weight.astype(query.dtype), value_ref[columns, :])
        return row_sum + jnp.sum(weight, axis=1, keepdims=True)

    row_sum = jax.lax.fori_loop(0, i + 1, read, jnp.zeros((TILE, 1), jnp.float32))
    h_ref[...] /= jnp.maximum(jnp.abs(row_sum), jnp.exp(-m_ref[...].T)) + EPSILON
    l_ref[...] = row_sum.T


def launch(query, key, value, weights: Weights, *, scale: float, interpret: bool):
    """h (B, NH, S, DH) and l (B, NH, 1, S), float32.

    S and DH are multiples of the tile: query, key, value (B, NH, S, DH), weights (B, NH, 1, S).
    """
    batch, heads, steps, dim = query.shape
    row_tile = pl.BlockSpec((None, None, TILE, dim), lambda b, h, i: (b, h, i, 0))
    all_rows = pl.BlockSpec((None, None, steps, dim), lambda b, h, i: (b, h, 0, 0))
    gate_tile = pl.BlockSpec((None, None, 1, TILE), lambda b, h, i: (b, h, 0, i))
    all_gates = pl.BlockSpec((None, None, 1, steps), lambda b, h, i: (b, h, 0, 0))
    return pl.pallas_call(
        lambda *refs: forward_kernel(*refs, scale=scale),
        grid=(batch, heads, steps // TILE),
        in_specs=[row_tile, all_rows, all_rows, all_gates, all_gates, gate_tile, gate_tile],
        out_specs=[row_tile, gate_tile],
        out_shape=[
            jax.ShapeDtypeStruct(query.shape, jnp.float32),
            jax.ShapeDtypeStruct(weights.m.shape, jnp.float32),
        ],
        compiler_params=pltpu.CompilerParams(dimension_semantics=("parallel",) * 3),
        interpret=interpret,
        name="mlstm_forward",
    )(query, key, value, *weights)
