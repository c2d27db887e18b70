"""h of all steps: own chunk in tiles, everything before the chunk through its memory.

With W_ij = s (q_i . k_j) exp(source_j - peak_i) for j <= i, and the memory C, n at the chunk's
start, scaled by exp(-m), m - b = crest:

    l_i = sum_j W_ij + exp(crest - peak_i) n . q_i
    h_i = (sum_j W_ij v_j + exp(crest - peak_i) C q_i) / (max(|l_i|, exp(-m_i)) + 1e-6)
"""

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton.gates import EPSILON as _EPSILON
from keras_axlstm.recurrence.kernels.triton.parts import (
    add_product,
    dot_rows,
    load_parts,
    load_transposed_parts,
    scale_rows,
    store_parts,
    time_index,
    zero_parts,
)

EPSILON = tl.constexpr(_EPSILON)


@triton.jit(do_not_specialize=["steps", "heads"])
def forward_kernel(
    query,  # (B, S, NH, DH)
    key,  # (B, S, NH, DH)
    value,  # (B, S, NH, DH)
    source_high,  # (B, NH, S)
    source_low,  # (B, NH, S)
    peak_high,  # (B, NH, S)
    peak_low,  # (B, NH, S)
    crest,  # (B, NH, S + 1)
    floor,  # (B, NH, S)
    C,  # (B, NH, N + 1, DH, DH) value x key, read if there is a MEMORY
    n,  # (B, NH, N + 1, DH), likewise
    steps,
    heads,
    chunk_size,
    h,  # (B, S, NH, DH) dense, out
    signed_l,  # (B, NH, S) out
    scale,
    query_strides,  # batch, time, head
    key_strides,
    value_strides,
    HEAD_DIM: tl.constexpr,
    WIDTHS: tl.constexpr,
    SLICE_WIDTHS: tl.constexpr,
    SLICE: tl.constexpr,
    STATE_SLICE: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    REVERSE: tl.constexpr,
    MEMORY: tl.constexpr,
    DTYPE: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """One program: a tile of rows of one head, one slice of the value columns."""
    tiles = tl.cdiv(steps, ROWS)
    head_index = (tl.program_id(0) // tiles).to(tl.int64)
    batch, head = head_index // heads, head_index % heads
    # The tiles that read the most columns start first.
    row_start = (tiles - 1 - tl.program_id(0) % tiles) * ROWS
    chunk = row_start // chunk_size
    first_value = tl.program_id(1) * SLICE

    query += batch * query_strides[0] + head * query_strides[2]
    key += batch * key_strides[0] + head * key_strides[2]
    value += batch * value_strides[0] + head * value_strides[2]
    h += (batch * steps * heads + head) * HEAD_DIM
    source_high += head_index * steps
    source_low += head_index * steps
    crest += head_index * (steps + 1)

    rows = row_start + tl.arange(0, ROWS)
    valid = rows < steps
    row_times = time_index(rows, steps, REVERSE)
    q = load_parts(query, row_times, query_strides[1], valid, 0, HEAD_DIM, WIDTHS, DTYPE)

    numerator = zero_parts(ROWS, SLICE_WIDTHS)
    denominator = tl.zeros((ROWS,), tl.float32)
    anchor = tl.load(crest + row_start)

    if MEMORY:
        memory = head_index * (tl.cdiv(steps, chunk_size) + 1) + chunk
        C += memory * HEAD_DIM * HEAD_DIM
        n += memory * HEAD_DIM
        for first_key in range(0, HEAD_DIM, STATE_SLICE):
            keys = first_key + tl.arange(0, STATE_SLICE)
            inside = keys < HEAD_DIM
            q_slice = tl.load(
                query + row_times[:, None] * query_strides[1] + keys[None, :],
                mask=valid[:, None] & inside[None, :],
                other=0.0,
            )
            n_slice = tl.load(n + keys, mask=inside, other=0.0)
            denominator += tl.sum(q_slice.to(tl.float32) * n_slice[None, :], 1)
            C_slice = load_transposed_parts(
                C, keys, inside, first_value, HEAD_DIM, SLICE_WIDTHS, DTYPE
            )
            numerator = add_product(numerator, q_slice.to(DTYPE), C_slice, PRECISION)
        weight = tl.exp(tl.load(crest + chunk * chunk_size) - anchor)
        numerator = scale_rows(numerator, tl.full((ROWS,), weight, tl.float32))
        denominator *= weight

    # Columns before the tile: exp(source_j - peak_i) is a number a column times a number a row,
    # both at most 1, and the latter is multiplied with the sum.
    for column_start in tl.range(chunk * chunk_size, row_start, COLUMNS, disable_licm=True):
        columns = column_start + tl.arange(0, COLUMNS)
        times = time_index(columns, steps, REVERSE)
        k = load_parts(key, times, key_strides[1], None, 0, HEAD_DIM, WIDTHS, DTYPE)
        high = tl.load(source_high + columns)
        low = tl.load(source_low + columns)
        weights = dot_rows(q, k, PRECISION) * (tl.exp(high - anchor + low) * scale)[None, :]
        denominator += tl.sum(weights, 1)
        v = load_parts(
            value, times, value_strides[1], None, first_value, HEAD_DIM, SLICE_WIDTHS, DTYPE
        )
        numerator = add_product(numerator, weights.to(DTYPE), v, PRECISION)

    peaks_high = tl.load(peak_high + head_index * steps + rows, mask=valid, other=float("inf"))
    peaks_low = tl.load(peak_low + head_index * steps + rows, mask=valid, other=0.0)
    decay = tl.exp(anchor - peaks_high - peaks_low)
    numerator = scale_rows(numerator, decay)
    denominator *= decay

    for column_start in tl.range(
        row_start, min(row_start + ROWS, steps), COLUMNS, disable_licm=True
    ):
        columns = column_start + tl.arange(0, COLUMNS)
        exists = columns < steps
        times = time_index(columns, steps, REVERSE)
        k = load_parts(key, times, key_strides[1], exists, 0, HEAD_DIM, WIDTHS, DTYPE)
        high = tl.load(source_high + columns, mask=exists, other=0.0)
        low = tl.load(source_low + columns, mask=exists, other=0.0)
        log_weights = (high[None, :] - peaks_high[:, None]) + (low[None, :] - peaks_low[:, None])
        causal = columns[None, :] <= rows[:, None]
        weights = tl.exp(tl.where(causal, log_weights, float("-inf"))) * scale
        weights *= dot_rows(q, k, PRECISION)
        denominator += tl.sum(weights, 1)
        v = load_parts(
            value, times, value_strides[1], exists, first_value, HEAD_DIM, SLICE_WIDTHS, DTYPE
        )
        numerator = add_product(numerator, weights.to(DTYPE), v, PRECISION)

    least = tl.load(floor + head_index * steps + rows, mask=valid, other=1.0)
    normalizer = tl.maximum(tl.abs(denominator), least) + EPSILON
    result = scale_rows(numerator, 1.0 / normalizer)
    row_stride = heads * HEAD_DIM
    store_parts(h, row_times, row_stride, valid, first_value, result, HEAD_DIM, SLICE_WIDTHS)
    if first_value == 0:
        tl.store(signed_l + head_index * steps + rows, denominator, mask=valid)
