"""Gradients: a tile of columns against the rows from it on; scores are computed again.

With r_i, dl_i the gradients of numerator and denominator of row i (op.py),
E_ij = r_i . v_j + dl_i and P_ij = s exp(source_j - peak_i) for j <= i, W_ij = P_ij (q_i . k_j),

    dv_j = sum_i W_ij r_i,    dk_j = sum_i E_ij P_ij q_i,    dq_i = sum_j E_ij P_ij k_j.

The gradient of the log weight of j in row i is E_ij W_ij; its sums over rows and over columns,
without the diagonal, are what the gates need (gates.py). Both come from the same numbers, so that
they cancel where they should.
"""

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from keras_axlstm.recurrence.gates import SHUT
from keras_axlstm.recurrence.kernels.pallas.gates import Weights
from keras_axlstm.recurrence.kernels.pallas.tiles import TILE, dot, dot_rows


def backward_kernel(
    query_ref,  # (S, DH)
    numerator_gradient_ref,  # (S, DH)
    denominator_gradient_ref,  # (1, S)
    peak_ref,  # (1, S)
    key_ref,  # (TILE, DH)
    value_ref,  # (TILE, DH)
    coarse_ref,  # (1, TILE)
    fine_ref,  # (1, TILE)
    query_gradient_ref,  # (S, DH) out: a term a tile of columns
    key_gradient_ref,  # (TILE, DH) out
    value_gradient_ref,  # (TILE, DH) out
    row_sums_ref,  # (1, S) out: a term a tile of columns
    column_sums_ref,  # (1, TILE) out
    diagonal_ref,  # (1, TILE) out
    *,
    scale: float,
):
    """One program: a tile of columns of one head.

    Tiles are transposed, columns down and rows across: what belongs to a row is read and written as
    it lies in memory, and what belongs to a column is turned once a program.
    """
    j = pl.program_id(2)
    key, value = key_ref[...], value_ref[...]
    coarse, fine = coarse_ref[...].T, fine_ref[...].T
    column = j * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 0)
    key_gradient_ref[...] = jnp.zeros_like(key_gradient_ref)
    value_gradient_ref[...] = jnp.zeros_like(value_gradient_ref)

    @pl.when(j == 0)
    def _():
        query_gradient_ref[...] = jnp.zeros_like(query_gradient_ref)
        row_sums_ref[...] = jnp.zeros_like(row_sums_ref)

    def be_read(i, sums):
        column_sum, diagonal = sums
        rows = pl.ds(pl.multiple_of(i * TILE, TILE), TILE)
        row = i * TILE + jax.lax.broadcasted_iota(jnp.int32, (TILE, TILE), 1)
        query, numerator_gradient = query_ref[rows, :], numerator_gradient_ref[rows, :]
        log_weight = (coarse - peak_ref[:, rows]) + fine
        P = jnp.exp(jnp.where(column <= row, log_weight, SHUT)) * scale
        W = P * dot_rows(key, query)
        E = dot_rows(value, numerator_gradient) + denominator_gradient_ref[:, rows]
        EP = E * P
        value_gradient_ref[...] += dot(W.astype(key.dtype), numerator_gradient)
        key_gradient_ref[...] += dot(EP.astype(key.dtype), query)
        query_gradient_ref[rows, :] += dot(EP.T.astype(key.dtype), key)

        of_log_weight = E * W
        earlier = jnp.where(column < row, of_log_weight, 0.0)
        row_sums_ref[:, rows] += jnp.sum(earlier, axis=0, keepdims=True)
        itself = jnp.where(column == row, of_log_weight, 0.0)
        return (
            column_sum + jnp.sum(earlier, axis=1, keepdims=True),
            diagonal + jnp.sum(itself, axis=0, keepdims=True),
        )

    nothing = jnp.zeros((TILE, 1), jnp.float32), jnp.zeros((1, TILE), jnp.float32)
    column_sum, diagonal = jax.lax.fori_loop(j, pl.num_programs(2), be_read, nothing)
    column_sums_ref[...] = column_sum.T
    diagonal_ref[...] = diagonal


def launch(
    query,
    key,
    value,
    weights: Weights,
    numerator_gradient,
    denominator_gradient,
    *,
    scale: float,
    interpret: bool,
):
    """Gradients of query, key, value (B, NH, S, DH); row sums, column sums, diagonal (B, NH, 1, S).

    All float32. S and DH are multiples of the tile: query, key, value, numerator_gradient
    (B, NH, S, DH), weights and denominator_gradient (B, NH, 1, S).
    """
    batch, heads, steps, dim = query.shape
    column_tile = pl.BlockSpec((None, None, TILE, dim), lambda b, h, j: (b, h, j, 0))
    all_rows = pl.BlockSpec((None, None, steps, dim), lambda b, h, j: (b, h, 0, 0))
    gate_tile = pl.BlockSpec((None, None, 1, TILE), lambda b, h, j: (b, h, 0, j))
    all_gates = pl.BlockSpec((None, None, 1, steps), lambda b, h, j: (b, h, 0, 0))
    sequence = jax.ShapeDtypeStruct(query.shape, jnp.float32)
    numbers = jax.ShapeDtypeStruct(weights.m.shape, jnp.float32)
    return pl.pallas_call(
        lambda *refs: backward_kernel(*refs, scale=scale),
        grid=(batch, heads, steps // TILE),
        in_specs=[
            *(all_rows, all_rows, all_gates, all_gates),
            *(column_tile, column_tile, gate_tile, gate_tile),
        ],
        out_specs=[
            *(all_rows, column_tile, column_tile),
            *(all_gates, gate_tile, gate_tile),
        ],
        out_shape=[sequence] * 3 + [numbers] * 3,
        # Tiles of columns add to the same gradient of the query: one after the other.
        compiler_params=pltpu.CompilerParams(
            dimension_semantics=("parallel", "parallel", "arbitrary")
        ),
        interpret=interpret,
        name="mlstm_backward",
    )(
        *(query, numerator_gradient, denominator_gradient, weights.peak),
        *(key, value, weights.coarse, weights.fine),
    )
