"""Gradients of numerator and denominator of every row: what the other backward kernels start from.

With h = numerator / d and d = max(|l|, exp(-m)) + 1e-6,

    r_i = dh_i / d_i,    dl_i = -(dh_i . h_i) sign(l_i) [|l_i| >= exp(-m_i)] / d_i.
"""

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton.forward import EPSILON
from keras_axlstm.recurrence.kernels.triton.parts import (
    load_parts,
    row_products,
    scale_rows,
    store_parts,
    time_index,
)


@triton.jit(do_not_specialize=["steps", "heads"])
def backward_rows_kernel(
    h_gradient,  # (B, S, NH, DH) dense
    h,  # (B, S, NH, DH) dense
    signed_l,  # (B, NH, S)
    floor,  # (B, NH, S)
    steps,
    heads,
    numerator_gradient,  # (B, S, NH, DH) dense, out
    denominator_gradient,  # (B, NH, S) out
    HEAD_DIM: tl.constexpr,
    WIDTHS: tl.constexpr,
    ROWS: tl.constexpr,
    REVERSE: tl.constexpr,
):
    """One program: a tile of rows of one head."""
    tiles = tl.cdiv(steps, ROWS)
    head_index = (tl.program_id(0) // tiles).to(tl.int64)
    batch, head = head_index // heads, head_index % heads
    rows = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    valid = rows < steps
    times = time_index(rows, steps, REVERSE)
    first = (batch * steps * heads + head) * HEAD_DIM
    stride = heads * HEAD_DIM

    gradient = load_parts(h_gradient + first, times, stride, valid, 0, HEAD_DIM, WIDTHS, tl.float32)
    output = load_parts(h + first, times, stride, valid, 0, HEAD_DIM, WIDTHS, tl.float32)
    total = tl.load(signed_l + head_index * steps + rows, mask=valid, other=0.0)
    least = tl.load(floor + head_index * steps + rows, mask=valid, other=1.0)

    inverse = 1.0 / (tl.maximum(tl.abs(total), least) + EPSILON)
    sign = tl.where(total < 0, -1.0, 1.0)
    through = tl.where(tl.abs(total) >= least, -sign * inverse, 0.0)
    of_l = row_products(gradient, output) * through
    tl.store(denominator_gradient + head_index * steps + rows, of_l, mask=valid)
    scaled = scale_rows(gradient, inverse)
    store_parts(numerator_gradient + first, times, stride, valid, 0, scaled, HEAD_DIM, WIDTHS)
