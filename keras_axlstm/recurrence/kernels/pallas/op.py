"""The kernels on arrays of the op: layout, padding, and the sums that need no kernel."""

import functools

import jax
import jax.numpy as jnp

from keras_axlstm.recurrence.gates import EPSILON, SHUT
from keras_axlstm.recurrence.kernels.native.call import MLSTMCall
from keras_axlstm.recurrence.kernels.pallas import backward as backward_pass
from keras_axlstm.recurrence.kernels.pallas import forward as forward_pass
from keras_axlstm.recurrence.kernels.pallas.gates import Weights, gate_gradients, prepare
from keras_axlstm.recurrence.kernels.pallas.tiles import (
    LANES,
    MOST_BYTES,
    TILE,
    backward_bytes,
    padded,
)
from keras_axlstm.recurrence.kernels.sharded import parts


def takes(call: MLSTMCall) -> bool:
    """Whether the kernels compute a call: one chunk that fits into the fast memory of a TPU.

    That is some 1000 steps for the largest models. Calls with states are not told apart here.
    """
    itemsize = jnp.dtype(call.dtype).itemsize
    fits = backward_bytes(call.steps, call.dim, itemsize) <= MOST_BYTES
    return fits and call.one_chunk() and not call.reverse and parts(call.batch) is not None


@functools.partial(jax.jit, static_argnames="interpret")
def forward(query, key, value, log_i, log_f, *, interpret: bool = False):
    """h (B, S, NH, DH), the signed denominator l and the stabiliser m (B, NH, S), float32.

    Args:
        query: `(B, S, NH, DH)` float32 or bfloat16, which is the dtype of products.
        key: like `query`.
        value: like `query`.
        log_i: log input gates `(B, NH, S)` float32, -1e30 where a step is masked.
        log_f: log forget gates likewise, 0 where a step is masked.
        interpret: run on any device, slowly.
    """
    _, steps, _, dim = query.shape
    weights = prepare(*_pad_gates(log_i, log_f))
    h, l = forward_pass.launch(  # noqa: E741
        _heads_first(query),
        _heads_first(key),
        _heads_first(value),
        Weights(*map(_gates, weights)),
        scale=dim**-0.5,
        interpret=interpret,
    )
    return _steps_first(h, steps, dim), l[:, :, 0, :steps], weights.m[..., :steps]


@functools.partial(jax.jit, static_argnames="interpret")
def backward(query, key, value, log_i, log_f, h, l, m, dh, *, interpret: bool = False):  # noqa: E741
    """Gradients of the five inputs, from the results of `forward` and the gradient of h."""
    _, steps, _, dim = query.shape
    numerator_gradient, denominator_gradient = _row_gradients(h, l, m, dh)
    weights = prepare(*_pad_gates(log_i, log_f))
    *sequences, rows, columns, diagonal = backward_pass.launch(
        _heads_first(query),
        _heads_first(key),
        _heads_first(value),
        Weights(*map(_gates, weights)),
        _heads_first(numerator_gradient.astype(query.dtype)),
        _gates(_pad_steps(denominator_gradient)),
        scale=dim**-0.5,
        interpret=interpret,
    )
    of_gates = gate_gradients(rows[:, :, 0], columns[:, :, 0], diagonal[:, :, 0])
    return (
        *(_steps_first(x, steps, dim).astype(query.dtype) for x in sequences),
        *(x[..., :steps] for x in of_gates),
    )


def _row_gradients(h, l, m, dh):  # noqa: E741
    """Gradients of numerator (B, S, NH, DH) and signed denominator (B, NH, S) of every row.

    h = numerator / n with n = max(|l|, exp(-m)) + 1e-6, which follows l where |l| is larger.
    """
    least = jnp.exp(-m)
    n = jnp.maximum(jnp.abs(l), least) + EPSILON
    numerator_gradient = dh / jnp.swapaxes(n, 1, 2)[..., None]
    along_h = jnp.swapaxes(jnp.sum(numerator_gradient * h, axis=-1), 1, 2)
    return numerator_gradient, jnp.where(jnp.abs(l) >= least, -along_h * jnp.sign(l), 0.0)


def _heads_first(x):
    """(B, S, NH, DH) to (B, NH, S, DH) with zeros up to whole tiles."""
    _, steps, _, dim = x.shape
    missing = (padded(steps, TILE) - steps, padded(dim, LANES) - dim)
    x = jnp.pad(x, ((0, 0), (0, missing[0]), (0, 0), (0, missing[1])))
    return jnp.swapaxes(x, 1, 2)


def _steps_first(x, steps: int, dim: int):
    """Inverse of `_heads_first`."""
    return jnp.swapaxes(x[:, :, :steps, :dim], 1, 2)


def _pad_gates(log_i, log_f):
    """Up to whole tiles with steps that write nothing and forget nothing."""
    return _pad_steps(log_i, SHUT), _pad_steps(log_f)


def _pad_steps(x, fill: float = 0.0):
    steps = x.shape[-1]
    missing = padded(steps, TILE) - steps
    return jnp.pad(x, ((0, 0), (0, 0), (0, missing)), constant_values=fill)


def _gates(x):
    """(B, NH, S) to (B, NH, 1, S), so that a block of one head is a matrix."""
    return x[:, :, None]
