"""From log gates to the weights that the kernels use, and back to the gates' gradients.

Shapes: B batch, S time in reading order, NH heads, N chunks of L steps. These arrays have one
number a step, so plain PyTorch is enough.

With b_t the sum of log f up to t, step j has the log weight `b_t - b_j + log i_j` in the memory
at step t. Scaled by exp(-m_t) that is

    exp(source_j - peak_t),    source_j = log i_j - b_j,    peak_t = m_t - b_t,

and all that the kernels ever need are differences of these two. The sums run over the whole
sequence in float64 and are handed over as two float32 numbers, high + low: differences of the
high parts are correctly rounded, so that `(high - high) + (low - low)` has the digits of its own
magnitude, however large the sums have grown.
"""

from typing import NamedTuple

import torch

# m of an empty memory, the bound of m when it is read, and what is added to denominators: the
# conventions of keras_axlstm/recurrence/gates.py, whose module imports Keras.
EMPTY = -1e15
LOWEST = -10.0
EPSILON = 1e-6


class Weights(NamedTuple):
    """Log weights; differences of them are logarithms of what the kernels multiply with."""

    source_high: torch.Tensor  # (B, NH, S)
    source_low: torch.Tensor  # (B, NH, S)
    peak_high: torch.Tensor  # (B, NH, S)
    peak_low: torch.Tensor  # (B, NH, S)
    # Maximum of the initial m and all sources before a step: the stabiliser, less b, of a memory
    # between two steps. Never above `peak` or below an earlier source.
    crest: torch.Tensor  # (B, NH, S + 1)
    floor: torch.Tensor  # (B, NH, S) exp(-m), the least denominator
    last_m: torch.Tensor  # (B, NH)


def prepare(log_i: torch.Tensor, log_f: torch.Tensor, m: torch.Tensor | None) -> Weights:
    """Weights from log gates (B, NH, S) in reading order and the initial m (B, NH)."""
    decay = torch.cumsum(log_f.double(), -1)
    source = log_i.double() - decay
    first = torch.full_like(source[..., :1], EMPTY) if m is None else m.double().unsqueeze(-1)
    crest = torch.cummax(torch.cat([first, source], -1), -1).values
    peak = torch.maximum(crest[..., 1:], LOWEST - decay)
    floor = torch.exp(-(peak + decay)).float()
    # What scales a memory has to be one float32 number; its m is the m of exactly that number.
    crest = crest.float()
    last_m = (crest[..., -1].double() + decay[..., -1]).float()
    return Weights(*_split(source), *_split(peak), crest, floor, last_m)


def _split(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """float64 as the sum of two float32."""
    high = x.float()
    return high, (x - high.double()).float()


class Sums(NamedTuple):
    """What the backward kernels sum up: gradients of log weights, a term for each use of a step."""

    rows: torch.Tensor  # (B, NH, S) reading earlier steps of the chunk
    columns: torch.Tensor  # (B, NH, S) being read by later steps of the chunk
    diagonal: torch.Tensor  # (B, NH, S) a step reading itself
    state_rows: torch.Tensor | None = None  # (B, NH, S) reading the memory at the chunk's start
    state_columns: torch.Tensor | None = None  # (B, NH, S) writing to the memory at its end
    passed: torch.Tensor | None = None  # (B, NH, N) from memory to memory


def gate_gradients(sums: Sums, chunk_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of log_i and log_f (B, NH, S), float32, in reading order.

    A log input gate is part of every use of its step. A log forget gate is part of whatever
    crosses it: inside a chunk, rows from it on that read columns before it, which is the sum from
    it on of all rows minus all columns. The diagonal, which crosses nothing, is left out there
    instead of cancelling.
    """
    steps = sums.rows.shape[-1]
    input_gradient = sums.columns + sums.diagonal
    rows = sums.rows.double()
    if sums.state_rows is not None:
        rows = rows + sums.state_rows
    forget = _in_chunks(rows - sums.columns, chunk_size).flip(-1).cumsum(-1).flip(-1)
    if sums.state_columns is not None and sums.passed is not None:
        input_gradient = input_gradient + sums.state_columns
        columns = _in_chunks(sums.state_columns.double(), chunk_size)
        forget = forget + (columns.cumsum(-1) - columns) + sums.passed.unsqueeze(-1)
    return input_gradient, forget.flatten(-2)[..., :steps].float()


def _in_chunks(x: torch.Tensor, chunk_size: int) -> torch.Tensor:
    """(B, NH, S) to (B, NH, N, L), the last chunk filled up with zeros."""
    padded = torch.nn.functional.pad(x, (0, -x.shape[-1] % chunk_size))
    return padded.unflatten(-1, (-1, chunk_size))


def add_stabiliser_gradient(
    gradient: torch.Tensor,  # (B, NH) of the last m
    log_i: torch.Tensor,
    log_f: torch.Tensor,
    m: torch.Tensor | None,  # (B, NH) the initial one
    log_i_gradient: torch.Tensor,
    log_f_gradient: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Adds the gradient of the last m, which is one of the steps' log weights or the initial m.

    Returns the gradients of log_i, log_f (B, NH, S) and the part that belongs to the initial m.
    """
    steps = log_i.shape[-1]
    source, largest = torch.max(log_i.double() - torch.cumsum(log_f.double(), -1), -1)
    first = torch.full_like(source, EMPTY) if m is None else m.double()
    # The decay from the initial m covers all steps, that from step j those after j.
    largest = torch.where(source > first, largest, -1).unsqueeze(-1)
    time = torch.arange(steps, device=log_i.device)
    gradient = gradient.unsqueeze(-1)
    log_i_gradient = log_i_gradient + torch.where(time == largest, gradient, 0.0)
    log_f_gradient = log_f_gradient + torch.where(time > largest, gradient, 0.0)
    return log_i_gradient, log_f_gradient, torch.where(largest < 0, gradient, 0.0).squeeze(-1)
