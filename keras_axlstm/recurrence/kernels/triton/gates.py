"""From log gates to the weights that the kernels use, and back to the gates' gradients.

Shapes: B batch, S time in reading order, NH heads, N chunks of L steps. These arrays have one
number a step, so plain PyTorch or JAX is enough.

With b_t the sum of log f up to t, step j has the log weight `b_t - b_j + log i_j` in the memory
at step t. Scaled by exp(-m_t) that is

    exp(source_j - peak_t),    source_j = log i_j - b_j,    peak_t = m_t - b_t,

and all that the kernels ever need are differences of these two. The sums run over the whole
sequence in float64 and are handed over as two float32 numbers, high + low: differences of the
high parts are correctly rounded, so that `(high - high) + (low - low)` has the digits of its own
magnitude, however large the sums have grown.
"""

from typing import NamedTuple

from keras_axlstm.recurrence.kernels.triton.launch import Array, Backend

# m of an empty memory, the bound of m when it is read, and what is added to denominators: the
# conventions of keras_axlstm/recurrence/gates.py, whose module imports Keras.
EMPTY = -1e15
LOWEST = -10.0
EPSILON = 1e-6


class Weights(NamedTuple):
    """Log weights; differences of them are logarithms of what the kernels multiply with."""

    source_high: Array  # (B, NH, S)
    source_low: Array  # (B, NH, S)
    peak_high: Array  # (B, NH, S)
    peak_low: Array  # (B, NH, S)
    # Maximum of the initial m and all sources before a step: the stabiliser, less b, of a memory
    # between two steps. Never above `peak` or below an earlier source.
    crest: Array  # (B, NH, S + 1)
    floor: Array  # (B, NH, S) exp(-m), the least denominator
    last_m: Array  # (B, NH)


def prepare(backend: Backend, log_i: Array, log_f: Array, m: Array | None) -> Weights:
    """Weights from log gates (B, NH, S) in reading order and the initial m (B, NH)."""
    xp = backend.xp
    decay = backend.cumsum(_double(backend, log_f))
    source = _double(backend, log_i) - decay
    crest = _crest(backend, source, m)
    peak = xp.maximum(crest[..., 1:], LOWEST - decay)
    floor = _single(backend, xp.exp(-(peak + decay)))
    # What scales a memory has to be one float32 number; its m is the m of exactly that number.
    crest = _single(backend, crest)
    last_m = _single(backend, _double(backend, crest[..., -1]) + decay[..., -1])
    return Weights(*_split(backend, source), *_split(backend, peak), crest, floor, last_m)


def _crest(backend: Backend, source: Array, m: Array | None) -> Array:
    """Running maximum (B, NH, S + 1) of the initial m and the sources, in float64."""
    xp = backend.xp
    first = xp.full_like(source[..., :1], EMPTY) if m is None else _double(backend, m)[..., None]
    return backend.cummax(xp.concat([first, source], axis=-1))


def _split(backend: Backend, x: Array) -> tuple[Array, Array]:
    """float64 as the sum of two float32."""
    high = _single(backend, x)
    return high, _single(backend, x - _double(backend, high))


def _single(backend: Backend, x: Array) -> Array:
    return backend.cast(x, "float32")


def _double(backend: Backend, x: Array) -> Array:
    return backend.cast(x, "float64")


class Sums(NamedTuple):
    """What the backward kernels sum up: gradients of log weights, a term for each use of a step."""

    rows: Array  # (B, NH, S) reading earlier steps of the chunk
    columns: Array  # (B, NH, S) being read by later steps of the chunk
    diagonal: Array  # (B, NH, S) a step reading itself
    state_rows: Array | None = None  # (B, NH, S) reading the memory at the chunk's start
    state_columns: Array | None = None  # (B, NH, S) writing to the memory at its end
    passed: Array | None = None  # (B, NH, N) from memory to memory


def gate_gradients(backend: Backend, sums: Sums, chunk_size: int) -> tuple[Array, Array]:
    """Gradients of log_i and log_f (B, NH, S), float32, in reading order.

    A log input gate is part of every use of its step. A log forget gate is part of whatever
    crosses it: inside a chunk, rows from it on that read columns before it, which is the sum from
    it on of all rows minus all columns. The diagonal, which crosses nothing, is left out there
    instead of cancelling.
    """
    xp = backend.xp
    input_gradient = sums.columns + sums.diagonal
    rows = _double(backend, sums.rows)
    if sums.state_rows is not None:
        rows = rows + sums.state_rows
    from_the_end = xp.flip(_in_chunks(xp, rows - sums.columns, chunk_size), (-1,))
    forget = xp.flip(backend.cumsum(from_the_end), (-1,))
    if sums.state_columns is not None and sums.passed is not None:
        input_gradient = input_gradient + sums.state_columns
        columns = _in_chunks(xp, _double(backend, sums.state_columns), chunk_size)
        forget = forget + (backend.cumsum(columns) - columns) + sums.passed[..., None]
    steps = sums.rows.shape[-1]
    return input_gradient, _single(backend, forget.reshape(*sums.rows.shape[:-1], -1)[..., :steps])


def _in_chunks(xp, x: Array, chunk_size: int) -> Array:
    """(B, NH, S) to (B, NH, N, L), the last chunk filled up with zeros."""
    *shape, steps = x.shape
    zeros = xp.broadcast_to(xp.zeros_like(x[..., :1]), (*shape, -steps % chunk_size))
    return xp.concat([x, zeros], axis=-1).reshape(*shape, -1, chunk_size)


def add_stabiliser_gradient(
    backend: Backend,
    gradient: Array,  # (B, NH) of the last m
    log_i: Array,
    log_f: Array,
    m: Array | None,  # (B, NH) the initial one
    log_i_gradient: Array,
    log_f_gradient: Array,
) -> tuple[Array, Array, Array]:
    """Adds the gradient of the last m, which is one of the steps' log weights or the initial m.

    Returns the gradients of log_i, log_f (B, NH, S) and the part that belongs to the initial m.
    """
    xp = backend.xp
    crest = _crest(backend, _double(backend, log_i) - backend.cumsum(_double(backend, log_f)), m)
    # From the largest on, the initial m being the first. The decay from it covers all steps, that
    # from a step those after it.
    reached = crest >= crest[..., -1:]
    before, after = reached[..., :-1], reached[..., 1:]
    gradient = gradient[..., None]
    log_i_gradient = log_i_gradient + xp.where(after & ~before, gradient, 0.0)
    log_f_gradient = log_f_gradient + xp.where(before, gradient, 0.0)
    return log_i_gradient, log_f_gradient, xp.where(before[..., :1], gradient, 0.0)[..., 0]
