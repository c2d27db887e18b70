"""Memories between chunks, and their gradients in the backward pass.

With crest' the stabiliser at a chunk's end and s the scale of the keys,

    C' = exp(crest - crest') C + sum_j exp(source_j - crest') v_j (s k_j)^T,

n the same without v_j. Reading row i of the chunk with weight w_i = exp(crest - peak_i) gives

    dC = exp(crest - crest') dC' + sum_i w_i r_i q_i^T,    dn the same with dl_i for r_i,

where r_i and dl_i are the gradients of numerator and denominator (backward_rows.py). A program
holds one block of the (value x key) matrix and walks over the chunks.
"""

import triton
import triton.language as tl

from keras_axlstm.recurrence.kernels.triton.parts import time_index


@triton.jit(do_not_specialize=["steps", "heads"])
def states_kernel(
    key,  # (B, S, NH, DH)
    value,  # (B, S, NH, DH)
    source_high,  # (B, NH, S)
    source_low,  # (B, NH, S)
    crest,  # (B, NH, S + 1)
    first_C,  # (B, NH, DH, DH) value x key, read if GIVEN, else 0
    first_n,  # (B, NH, DH), likewise
    steps,
    heads,
    chunk_size,
    C,  # (B, NH, N + 1, DH, DH), out
    n,  # (B, NH, N + 1, DH), out
    scale,
    key_strides,
    value_strides,
    HEAD_DIM: tl.constexpr,
    VALUES: tl.constexpr,
    KEYS: tl.constexpr,
    STEPS: tl.constexpr,
    REVERSE: tl.constexpr,
    GIVEN: tl.constexpr,
    DTYPE: tl.constexpr,
    PRECISION: tl.constexpr,
):
    head_index = tl.program_id(0).to(tl.int64)
    chunks = tl.cdiv(steps, chunk_size)
    values = tl.program_id(1) * VALUES + tl.arange(0, VALUES)
    keys = tl.program_id(2) * KEYS + tl.arange(0, KEYS)
    in_values, in_keys = values < HEAD_DIM, keys < HEAD_DIM
    inside = in_values[:, None] & in_keys[None, :]

    batch, head = head_index // heads, head_index % heads
    key += batch * key_strides[0] + head * key_strides[2]
    value += batch * value_strides[0] + head * value_strides[2]
    C += head_index * (chunks + 1) * HEAD_DIM * HEAD_DIM
    C += values[:, None] * HEAD_DIM + keys[None, :]
    n += head_index * (chunks + 1) * HEAD_DIM + keys
    crest += head_index * (steps + 1)

    memory = tl.zeros((VALUES, KEYS), tl.float32)
    key_sum = tl.zeros((KEYS,), tl.float32)
    if GIVEN:
        first_C += head_index * HEAD_DIM * HEAD_DIM + values[:, None] * HEAD_DIM + keys[None, :]
        memory = tl.load(first_C, mask=inside, other=0.0)
        key_sum = tl.load(first_n + head_index * HEAD_DIM + keys, mask=in_keys, other=0.0)
    tl.store(C, memory, mask=inside)
    if tl.program_id(1) == 0:
        tl.store(n, key_sum, mask=in_keys)
    for start in range(0, steps, chunk_size):
        end = min(start + chunk_size, steps)
        end_crest = tl.load(crest + end)
        keep = tl.exp(tl.load(crest + start) - end_crest)
        memory *= keep
        key_sum *= keep
        for block in range(start, end, STEPS):
            columns = block + tl.arange(0, STEPS)
            exists = columns < end
            times = time_index(columns, steps, REVERSE)
            numbers = head_index * steps + columns
            high = tl.load(source_high + numbers, mask=exists, other=float("-inf"))
            low = tl.load(source_low + numbers, mask=exists, other=0.0)
            weights = tl.exp(high - end_crest + low) * scale
            k = tl.load(
                key + times[:, None] * key_strides[1] + keys[None, :],
                mask=exists[:, None] & in_keys[None, :],
                other=0.0,
            )
            v = tl.load(
                value + times[:, None] * value_strides[1] + values[None, :],
                mask=exists[:, None] & in_values[None, :],
                other=0.0,
            )
            weighted = k.to(tl.float32) * weights[:, None]
            memory = tl.dot(
                tl.trans(v.to(DTYPE)), weighted.to(DTYPE), memory, input_precision=PRECISION
            )
            key_sum += tl.sum(weighted, 0)
        C += HEAD_DIM * HEAD_DIM
        n += HEAD_DIM
        tl.store(C, memory, mask=inside)
        if tl.program_id(1) == 0:
            tl.store(n, key_sum, mask=in_keys)


@triton.jit(do_not_specialize=["steps", "heads"])
def states_backward_kernel(
    query,  # (B, S, NH, DH)
    numerator_gradient,  # (B, S, NH, DH) dense
    denominator_gradient,  # (B, NH, S)
    peak_high,  # (B, NH, S)
    peak_low,  # (B, NH, S)
    crest,  # (B, NH, S + 1)
    last_C_gradient,  # (B, NH, DH, DH) value x key, read if GIVEN, else 0
    last_n_gradient,  # (B, NH, DH), likewise
    steps,
    heads,
    chunk_size,
    C_gradient,  # (B, NH, N + 1, DH, DH), out
    n_gradient,  # (B, NH, N + 1, DH), out
    query_strides,
    HEAD_DIM: tl.constexpr,
    VALUES: tl.constexpr,
    KEYS: tl.constexpr,
    STEPS: tl.constexpr,
    REVERSE: tl.constexpr,
    GIVEN: tl.constexpr,
    DTYPE: tl.constexpr,
    PRECISION: tl.constexpr,
):
    head_index = tl.program_id(0).to(tl.int64)
    chunks = tl.cdiv(steps, chunk_size)
    values = tl.program_id(1) * VALUES + tl.arange(0, VALUES)
    keys = tl.program_id(2) * KEYS + tl.arange(0, KEYS)
    in_values, in_keys = values < HEAD_DIM, keys < HEAD_DIM
    inside = in_values[:, None] & in_keys[None, :]

    batch, head = head_index // heads, head_index % heads
    query += batch * query_strides[0] + head * query_strides[2]
    numerator_gradient += (batch * steps * heads + head) * HEAD_DIM
    C_gradient += (head_index * (chunks + 1) + chunks) * HEAD_DIM * HEAD_DIM
    C_gradient += values[:, None] * HEAD_DIM + keys[None, :]
    n_gradient += (head_index * (chunks + 1) + chunks) * HEAD_DIM + keys
    crest += head_index * (steps + 1)

    memory = tl.zeros((VALUES, KEYS), tl.float32)
    key_sum = tl.zeros((KEYS,), tl.float32)
    if GIVEN:
        last_C_gradient += head_index * HEAD_DIM * HEAD_DIM
        last_C_gradient += values[:, None] * HEAD_DIM + keys[None, :]
        memory = tl.load(last_C_gradient, mask=inside, other=0.0)
        key_sum = tl.load(last_n_gradient + head_index * HEAD_DIM + keys, mask=in_keys, other=0.0)
    tl.store(C_gradient, memory, mask=inside)
    if tl.program_id(1) == 0:
        tl.store(n_gradient, key_sum, mask=in_keys)
    for later in range(chunks):
        start = (chunks - 1 - later) * chunk_size
        end = min(start + chunk_size, steps)
        start_crest = tl.load(crest + start)
        keep = tl.exp(start_crest - tl.load(crest + end))
        memory *= keep
        key_sum *= keep
        for block in range(start, end, STEPS):
            rows = block + tl.arange(0, STEPS)
            valid = rows < end
            times = time_index(rows, steps, REVERSE)
            numbers = head_index * steps + rows
            high = tl.load(peak_high + numbers, mask=valid, other=float("inf"))
            low = tl.load(peak_low + numbers, mask=valid, other=0.0)
            weights = tl.exp(start_crest - high - low)
            q = tl.load(
                query + times[:, None] * query_strides[1] + keys[None, :],
                mask=valid[:, None] & in_keys[None, :],
                other=0.0,
            )
            gradient = tl.load(
                numerator_gradient + times[:, None] * (heads * HEAD_DIM) + values[None, :],
                mask=valid[:, None] & in_values[None, :],
                other=0.0,
            )
            weighted = q.to(tl.float32) * weights[:, None]
            memory = tl.dot(
                tl.trans(gradient.to(DTYPE)), weighted.to(DTYPE), memory, input_precision=PRECISION
            )
            of_l = tl.load(denominator_gradient + numbers, mask=valid, other=0.0)
            key_sum += tl.sum(weighted * of_l[:, None], 0)
        C_gradient -= HEAD_DIM * HEAD_DIM
        n_gradient -= HEAD_DIM
        tl.store(C_gradient, memory, mask=inside)
        if tl.program_id(1) == 0:
            tl.store(n_gradient, key_sum, mask=in_keys)
