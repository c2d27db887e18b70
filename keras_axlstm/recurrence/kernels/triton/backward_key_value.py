"""Gradients of key and value, and of the log weights: a tile of columns against the later rows.

With r_i, dl_i from backward_rows.py, E_ij = r_i . v_j + dl_i, P_ij = s exp(source_j - peak_i) and
the weights W_ij = P_ij (q_i . k_j),

    dv_j = sum_i W_ij r_i + u_j dC' k_j,
    dk_j = sum_i E_ij P_ij q_i + u_j (dC'^T v_j + dn'),    u_j = s exp(source_j - crest'),

where dC', dn' belong to the memory at the chunk's end. The gradient of the log weight of j in
row i is E_ij W_ij; its sums over rows and over columns, without the diagonal, are what the gates
need (gates.py). Both come from the same numbers, so that they cancel to the last bit where they
should.
"""

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton.parts import (
    add_outer,
    add_product,
    dot_rows,
    load_parts,
    load_transposed_parts,
    row_products,
    scale_rows,
    store_parts,
    time_index,
    zero_parts,
)


@triton.jit(do_not_specialize=["steps", "heads"])
def backward_key_value_kernel(
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
    C_gradient,  # (B, NH, N + 1, DH, DH) value x key, read if there is a MEMORY
    n_gradient,  # (B, NH, N + 1, DH), likewise
    steps,
    heads,
    chunk_size,
    key_gradient,  # (B, S, NH, DH) dense, out
    value_gradient,  # (B, S, NH, DH) dense, out
    row_sums,  # (column tiles of a chunk, B, NH, S) zeros, out: a term a column tile
    column_sums,  # (B, NH, S) out
    diagonal,  # (B, NH, S) out
    state_columns,  # (slices, B, NH, S) out: gradient of the log weight u, or None
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
    """One program: a tile of columns of one head, one slice of the key and value columns."""
    tiles = tl.cdiv(steps, COLUMNS)
    head_index = (tl.program_id(0) // tiles).to(tl.int64)
    head_steps = (tl.num_programs(0) // tiles).to(tl.int64) * steps  # B NH S
    batch, head = head_index // heads, head_index % heads
    column_start = tl.program_id(0) % tiles * COLUMNS
    chunk = column_start // chunk_size
    chunk_end = min((chunk + 1) * chunk_size, steps)
    first = tl.program_id(1) * SLICE

    dense = (batch * steps * heads + head) * HEAD_DIM
    dense_stride = heads * HEAD_DIM
    query += batch * query_strides[0] + head * query_strides[2]
    key += batch * key_strides[0] + head * key_strides[2]
    value += batch * value_strides[0] + head * value_strides[2]
    numerator_gradient += dense
    denominator_gradient += head_index * steps
    peak_high += head_index * steps
    peak_low += head_index * steps
    crest += head_index * (steps + 1)
    row_sums += (column_start - chunk * chunk_size) // COLUMNS * head_steps + head_index * steps

    columns = column_start + tl.arange(0, COLUMNS)
    exists = columns < steps
    numbers = head_index * steps + columns
    times = time_index(columns, steps, REVERSE)
    k = load_parts(key, times, key_strides[1], exists, 0, HEAD_DIM, WIDTHS, DTYPE)
    v = load_parts(value, times, value_strides[1], exists, 0, HEAD_DIM, WIDTHS, DTYPE)
    high = tl.load(source_high + numbers, mask=exists, other=float("-inf"))
    low = tl.load(source_low + numbers, mask=exists, other=0.0)

    of_key = zero_parts(COLUMNS, SLICE_WIDTHS)
    of_value = zero_parts(COLUMNS, SLICE_WIDTHS)

    if MEMORY:
        memory = head_index * (tl.cdiv(steps, chunk_size) + 1) + chunk + 1
        C_gradient += memory * HEAD_DIM * HEAD_DIM
        n_gradient += memory * HEAD_DIM
        for start in range(0, HEAD_DIM, STATE_SLICE):
            others = start + tl.arange(0, STATE_SLICE)
            inside = others < HEAD_DIM
            both = exists[:, None] & inside[None, :]
            k_slice = tl.load(
                key + times[:, None] * key_strides[1] + others[None, :], mask=both, other=0.0
            )
            v_slice = tl.load(
                value + times[:, None] * value_strides[1] + others[None, :], mask=both, other=0.0
            )
            # Rows of dC' are values: they meet v, and its columns, read as rows, meet k.
            by_value = load_parts(
                C_gradient, others, HEAD_DIM, inside, first, HEAD_DIM, SLICE_WIDTHS, DTYPE
            )
            of_key = add_product(of_key, v_slice.to(DTYPE), by_value, PRECISION)
            by_key = load_transposed_parts(
                C_gradient, others, inside, first, HEAD_DIM, SLICE_WIDTHS, DTYPE
            )
            of_value = add_product(of_value, k_slice.to(DTYPE), by_key, PRECISION)
        ones = tl.full((COLUMNS,), 1.0, tl.float32)
        of_key = add_outer(of_key, ones, n_gradient, first, HEAD_DIM, SLICE_WIDTHS)
        written = tl.exp(high - tl.load(crest + chunk_end) + low) * scale
        of_key = scale_rows(of_key, written)
        of_value = scale_rows(of_value, written)
        k_here = load_parts(
            key, times, key_strides[1], exists, first, HEAD_DIM, SLICE_WIDTHS, tl.float32
        )
        of_weight = row_products(k_here, of_key)
        slice_start = tl.program_id(1).to(tl.int64) * head_steps
        tl.store(state_columns + slice_start + numbers, of_weight, mask=exists)

    column_sum = tl.zeros((COLUMNS,), tl.float32)
    on_diagonal = tl.zeros((COLUMNS,), tl.float32)
    diagonal_end = min(column_start + COLUMNS, chunk_end)
    for row_start in tl.range(column_start, chunk_end, ROWS, disable_licm=True):
        rows = row_start + tl.arange(0, ROWS)
        valid = rows < steps
        row_times = time_index(rows, steps, REVERSE)
        q = load_parts(query, row_times, query_strides[1], valid, 0, HEAD_DIM, WIDTHS, DTYPE)
        of_numerator = load_parts(
            numerator_gradient, row_times, dense_stride, valid, 0, HEAD_DIM, WIDTHS, DTYPE
        )
        of_l = tl.load(denominator_gradient + rows, mask=valid, other=0.0)
        peaks_high = tl.load(peak_high + rows, mask=valid, other=float("inf"))
        peaks_low = tl.load(peak_low + rows, mask=valid, other=0.0)

        # Tiles are transposed, (COLUMNS, ROWS).
        log_weights = (high[:, None] - peaks_high[None, :]) + (low[:, None] - peaks_low[None, :])
        causal = columns[:, None] <= rows[None, :]
        decays = tl.exp(tl.where(causal, log_weights, float("-inf"))) * scale
        weights = dot_rows(k, q, PRECISION) * decays
        of_weights = dot_rows(v, of_numerator, PRECISION) + of_l[None, :]

        if SLICE < HEAD_DIM:
            q = load_parts(
                query, row_times, query_strides[1], valid, first, HEAD_DIM, SLICE_WIDTHS, DTYPE
            )
            of_numerator = load_parts(
                numerator_gradient,
                row_times,
                dense_stride,
                valid,
                first,
                HEAD_DIM,
                SLICE_WIDTHS,
                DTYPE,
            )
        of_value = add_product(of_value, weights.to(DTYPE), of_numerator, PRECISION)
        of_key = add_product(of_key, (of_weights * decays).to(DTYPE), q, PRECISION)

        if tl.program_id(1) == 0:
            of_log_weights = of_weights * weights
            if row_start < diagonal_end:
                same = columns[:, None] == rows[None, :]
                on_diagonal += tl.sum(tl.where(same, of_log_weights, 0.0), 1)
                of_log_weights = tl.where(same, 0.0, of_log_weights)
            column_sum += tl.sum(of_log_weights, 1)
            tl.store(row_sums + rows, tl.sum(of_log_weights, 0), mask=valid)

    if tl.program_id(1) == 0:
        tl.store(column_sums + numbers, column_sum, mask=exists)
        tl.store(diagonal + numbers, on_diagonal, mask=exists)
    store_parts(
        key_gradient + dense, times, dense_stride, exists, first, of_key, HEAD_DIM, SLICE_WIDTHS
    )
    store_parts(
        value_gradient + dense, times, dense_stride, exists, first, of_value, HEAD_DIM, SLICE_WIDTHS
    )
