"""The speed of plain matrix products on this backend and dtype: what a case could reach."""

import statistics

import keras
import numpy as np

from benchmarking.backends import Backend
from benchmarking.clock import calls_of_a_measurement, seconds_of_a_run

SQUARE = (2048, 2048, 2048)
# A GPU is faster with this one.
LARGE_SQUARE = (8192, 8192, 8192)
# Longer factors repeat their rows: drawing them would take longer than multiplying them.
DRAWN_ROWS = 1024
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
    factors = []
    for length, width in ((rows, contracted), (contracted, columns)):
        drawn = rng.standard_normal((min(length, DRAWN_ROWS), width), dtype="float32")
        factors.append(keras.ops.convert_to_tensor(np.resize(drawn, (length, width)), dtype))
    run = backend.function(keras.ops.matmul, factors, compiled=False)
    seconds_of_a_run(run, backend)  # compiles
    calls = calls_of_a_measurement(seconds_of_a_run(run, backend))
    seconds = [seconds_of_a_run(run, backend, calls) for _ in range(REPEATS)]
    return 2 * rows * contracted * columns / statistics.median(seconds)
