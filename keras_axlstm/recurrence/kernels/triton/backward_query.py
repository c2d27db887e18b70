"""Gradient of the query: a tile of rows against the columns it reads, as in the forward pass.

With r_i, dl_i from backward_rows.py and E_ij = r_i . v_j + dl_i,

    dq_i = sum_j s E_ij exp(source_j - peak_i) k_j + exp(crest - peak_i) (C^T r_i + dl_i n).
"""

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton.parts import (
    add_outer,
    add_product,
    dot_rows,
    load_parts,
    row_products,
    scale_rows,
    store_parts,
    time_index,
    zero_parts,
)


@triton.jit(do_not_specialize=["steps", "heads"])
def backward_query_kernel(
    query,  # (B, S, NH, DH)
    key,  # (B, S, NH, DH)
    value,  # (B, S, NH, DH)
    numerator_gradient,  # (B, S, NH, DH) dense
    denominator_gradient,  # (B, NH, S)
    source_high,  # (B, NH, S)
    source_low,  # (B, NH, S)
    peak_high,  # (B, NH, S)
    peak_low,  # (B, NH, S)
    crest,  # (B, NH, S + 1)
    C,  # (B, NH, N + 1, DH, DH) value x key, read if there is a MEMORY
    n,  # (B, NH, N + 1, DH), likewise
    steps,
    heads,
    chunk_size,
    query_gradient,  # (B, S, NH, DH) dense, out
    state_rows,  # (slices, B, NH, S) out: gradient of the log weight of the memory, or None
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
    """One program: a tile of rows of one head, one slice of the key columns."""
    tiles = tl.cdiv(steps, ROWS)
    head_index = (tl.program_id(0) // tiles).to(tl.int64)
    batch, head = head_index // heads, head_index % heads
    # The tiles that read the most columns start first.
    row_start = (tiles - 1 - tl.program_id(0) % tiles) * ROWS
    chunk = row_start // chunk_size
    first_key = tl.program_id(1) * SLICE

    dense = (batch * steps * heads + head) * HEAD_DIM
    dense_stride = heads * HEAD_DIM
    query += batch * query_strides[0] + head * query_strides[2]
    key += batch * key_strides[0] + head * key_strides[2]
    value += batch * value_strides[0] + head * value_strides[2]
    numerator_gradient += dense
    source_high += head_index * steps
    source_low += head_index * steps
    crest += head_index * (steps + 1)

    rows = row_start + tl.arange(0, ROWS)
    valid = rows < steps
    numbers = head_index * steps + rows
    row_times = time_index(rows, steps, REVERSE)
    of_numerator = load_parts(
        numerator_gradient, row_times, dense_stride, valid, 0, HEAD_DIM, WIDTHS, DTYPE
    )
    of_l = tl.load(denominator_gradient + numbers, mask=valid, other=0.0)

    gradient = zero_parts(ROWS, SLICE_WIDTHS)
    anchor = tl.load(crest + row_start)

    if MEMORY:
        memory = head_index * (tl.cdiv(steps, chunk_size) + 1) + chunk
        C += memory * HEAD_DIM * HEAD_DIM
        n += memory * HEAD_DIM
        for first_value in range(0, HEAD_DIM, STATE_SLICE):
            values = first_value + tl.arange(0, STATE_SLICE)
            inside = values < HEAD_DIM
            r_slice = tl.load(
                numerator_gradient + row_times[:, None] * dense_stride + values[None, :],
                mask=valid[:, None] & inside[None, :],
                other=0.0,
            )
            C_slice = load_parts(
                C, values, HEAD_DIM, inside, first_key, HEAD_DIM, SLICE_WIDTHS, DTYPE
            )
            gradient = add_product(gradient, r_slice.to(DTYPE), C_slice, PRECISION)
        gradient = add_outer(gradient, of_l, n, first_key, HEAD_DIM, SLICE_WIDTHS)
        start_crest = tl.load(crest + chunk * chunk_size)
        q = load_parts(
            query, row_times, query_strides[1], valid, first_key, HEAD_DIM, SLICE_WIDTHS, tl.float32
        )
        peaks_high = tl.load(peak_high + numbers, mask=valid, other=float("inf"))
        peaks_low = tl.load(peak_low + numbers, mask=valid, other=0.0)
        of_weight = row_products(q, gradient) * tl.exp(start_crest - peaks_high - peaks_low)
        heads_total = tl.num_programs(0) // tiles
        slice_start = tl.program_id(1).to(tl.int64) * heads_total * steps
        tl.store(state_rows + slice_start + numbers, of_weight, mask=valid)
        weight = tl.exp(start_crest - anchor)
        gradient = scale_rows(gradient, tl.full((ROWS,), weight, tl.float32))

    for column_start in tl.range(chunk * chunk_size, row_start, COLUMNS, disable_licm=True):
        columns = column_start + tl.arange(0, COLUMNS)
        times = time_index(columns, steps, REVERSE)
        v = load_parts(value, times, value_strides[1], None, 0, HEAD_DIM, WIDTHS, DTYPE)
        high = tl.load(source_high + columns)
        low = tl.load(source_low + columns)
        of_weights = dot_rows(of_numerator, v, PRECISION) + of_l[:, None]
        of_scores = of_weights * (tl.exp(high - anchor + low) * scale)[None, :]
        k = load_parts(key, times, key_strides[1], None, first_key, HEAD_DIM, SLICE_WIDTHS, DTYPE)
        gradient = add_product(gradient, of_scores.to(DTYPE), k, PRECISION)

    peaks_high = tl.load(peak_high + numbers, mask=valid, other=float("inf"))
    peaks_low = tl.load(peak_low + numbers, mask=valid, other=0.0)
    gradient = scale_rows(gradient, tl.exp(anchor - peaks_high - peaks_low))

    for column_start in tl.range(
        row_start, min(row_start + ROWS, steps), COLUMNS, disable_licm=True
    ):
        columns = column_start + tl.arange(0, COLUMNS)
        exists = columns < steps
        times = time_index(columns, steps, REVERSE)
        v = load_parts(value, times, value_strides[1], exists, 0, HEAD_DIM, WIDTHS, DTYPE)
        high = tl.load(source_high + columns, mask=exists, other=0.0)
        low = tl.load(source_low + columns, mask=exists, other=0.0)
        log_weights = (high[None, :] - peaks_high[:, None]) + (low[None, :] - peaks_low[:, None])
        causal = columns[None, :] <= rows[:, None]
        weights = tl.exp(tl.where(causal, log_weights, float("-inf"))) * scale
        of_scores = (dot_rows(of_numerator, v, PRECISION) + of_l[:, None]) * weights
        k = load_parts(key, times, key_strides[1], exists, first_key, HEAD_DIM, SLICE_WIDTHS, DTYPE)
        gradient = add_product(gradient, of_scores.to(DTYPE), k, PRECISION)

    store_parts(
        query_gradient + dense,
        row_times,
        dense_stride,
        valid,
        first_key,
        gradient,
        HEAD_DIM,
        SLICE_WIDTHS,
    )
