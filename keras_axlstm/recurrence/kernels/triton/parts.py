"""What the kernels share: blocks of rows as tuples of parts whose widths are powers of two.

A head dimension of 144 is held as a part of 128 and one of 16 columns, `WIDTHS = (128, 16)`
(`tiles.widths`); everything below works part by part, unrolled when a kernel is compiled.
Rows are counted in reading order; `time_index` is where they lie in memory.
"""

import triton
import triton.language as tl


@triton.jit
def time_index(rows, steps, REVERSE: tl.constexpr):
    """Where rows lie in memory: the last one first if time is read from its end."""
    if REVERSE:
        return steps - 1 - rows
    return rows


@triton.jit
def load_parts(
    base,  # first row and column of one head
    index,  # (ROWS,) where the rows lie
    stride,  # from one row to the next
    valid,  # (ROWS,) or None where all rows exist
    first,  # first column
    HEAD_DIM: tl.constexpr,
    WIDTHS: tl.constexpr,
    DTYPE: tl.constexpr,
):
    """Rows of a head as parts (ROWS, WIDTHS[0]), (ROWS, WIDTHS[1]) ... of DTYPE."""
    pointers = base + index[:, None] * stride
    parts = ()
    for part in tl.static_range(len(WIDTHS)):
        columns = first + tl.arange(0, WIDTHS[part])
        inside = _inside(columns, valid, HEAD_DIM, WIDTHS)
        block = tl.load(pointers + columns[None, :], mask=inside, other=0.0)
        parts = parts + (block.to(DTYPE),)
        first += WIDTHS[part]
    return parts


@triton.jit
def load_transposed_parts(
    matrix,  # (HEAD_DIM, HEAD_DIM) dense
    index,  # columns that become rows of the parts
    valid,
    first,  # first row, which becomes the first column
    HEAD_DIM: tl.constexpr,
    WIDTHS: tl.constexpr,
    DTYPE: tl.constexpr,
):
    """`load_parts` of the transposed matrix."""
    parts = ()
    for part in tl.static_range(len(WIDTHS)):
        rows = first + tl.arange(0, WIDTHS[part])
        inside = _inside(rows, valid, HEAD_DIM, WIDTHS)
        block = tl.load(matrix + rows[None, :] * HEAD_DIM + index[:, None], mask=inside, other=0.0)
        parts = parts + (block.to(DTYPE),)
        first += WIDTHS[part]
    return parts


@triton.jit
def store_parts(
    base, index, stride, valid, first, parts, HEAD_DIM: tl.constexpr, WIDTHS: tl.constexpr
):
    """Inverse of `load_parts`, in the dtype of the memory."""
    pointers = base + index[:, None] * stride
    for part in tl.static_range(len(WIDTHS)):
        columns = first + tl.arange(0, WIDTHS[part])
        inside = _inside(columns, valid, HEAD_DIM, WIDTHS)
        block = parts[part].to(base.dtype.element_ty)
        tl.store(pointers + columns[None, :], block, mask=inside)
        first += WIDTHS[part]


@triton.jit
def _inside(columns, valid, HEAD_DIM: tl.constexpr, WIDTHS: tl.constexpr):
    """Mask of a block; constant, and dropped by the compiler, where nothing sticks out."""
    inside = tl.full((1, 1), True, tl.int1)
    if not _divides(WIDTHS, HEAD_DIM):
        inside = (columns < HEAD_DIM)[None, :]
    if valid is not None:
        inside = inside & valid[:, None]
    return inside


@triton.constexpr_function
def _divides(widths, head_dim):
    return head_dim % sum(widths) == 0


@triton.jit
def zero_parts(ROWS: tl.constexpr, WIDTHS: tl.constexpr):
    parts = ()
    for part in tl.static_range(len(WIDTHS)):
        # Not `tl.zeros`: Triton 3.6 does not take an element of a tuple in its shape.
        parts = parts + (tl.full((ROWS, WIDTHS[part]), 0.0, tl.float32),)
    return parts


@triton.jit
def dot_rows(left, right, PRECISION: tl.constexpr):
    """Products of all rows of `left` with all rows of `right`: left right^T."""
    product = tl.dot(left[0], tl.trans(right[0]), input_precision=PRECISION)
    for part in tl.static_range(1, len(left)):
        product = tl.dot(left[part], tl.trans(right[part]), product, input_precision=PRECISION)
    return product


@triton.jit
def add_product(parts, left, right, PRECISION: tl.constexpr):
    """parts + left right, `right` in parts."""
    sums = ()
    for part in tl.static_range(len(parts)):
        product = tl.dot(left, right[part], parts[part], input_precision=PRECISION)
        sums = sums + (product,)
    return sums


@triton.jit
def scale_rows(parts, factor):
    scaled = ()
    for part in tl.static_range(len(parts)):
        scaled = scaled + (parts[part] * factor[:, None],)
    return scaled


@triton.jit
def row_products(left, right):
    """Inner product of each row of `left` with the same row of `right`, float32."""
    product = tl.sum(left[0].to(tl.float32) * right[0].to(tl.float32), 1)
    for part in tl.static_range(1, len(left)):
        product += tl.sum(left[part].to(tl.float32) * right[part].to(tl.float32), 1)
    return product


@triton.jit
def add_outer(parts, column, vector, first, HEAD_DIM: tl.constexpr, WIDTHS: tl.constexpr):
    """parts + column vector^T; `vector` points to the HEAD_DIM numbers of a row."""
    sums = ()
    for part in tl.static_range(len(parts)):
        columns = first + tl.arange(0, WIDTHS[part])
        row = tl.load(vector + columns, mask=columns < HEAD_DIM, other=0.0)
        sums = sums + (parts[part] + column[:, None] * row[None, :],)
        first += WIDTHS[part]
    return sums
