"""The speed of plain matrix products on this backend and dtype: what a case could reach."""

import statistics
import time

import keras
import numpy as np

from benchmarking.backends import Backend

SQUARE = (2048, 2048, 2048)
REPEATS = 5
COMPUTE_DTYPES = {
    "float32": "float32",
    "mixed_bfloat16": "bfloat16",
    "mixed_float16": "float16",
}


def matmul_flops_per_second(
    backend: Backend, dtype_policy: str, shape: tuple[int, int, int]
) -> float:
    """Median speed of one (rows, contracted) x (contracted, columns) product."""
    rows, contracted, columns = shape
    dtype = COMPUTE_DTYPES[dtype_policy]
    rng = np.random.default_rng(0)
    factors = [
        keras.ops.convert_to_tensor(rng.normal(size=size).astype("float32"), dtype)
        for size in ((rows, contracted), (contracted, columns))
    ]
    run = backend.function(keras.ops.matmul, factors, compiled=False)
    backend.wait(run())
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        backend.wait(run())
        seconds.append(time.perf_counter() - start)
    return 2 * rows * contracted * columns / statistics.median(seconds)
