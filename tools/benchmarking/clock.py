"""Measuring runs that may be shorter than the clock is good for."""

import math
import time
from typing import Any

from benchmarking.backends import Thunk

# A measurement repeats shorter runs until it takes about this long.
SHORTEST_MEASUREMENT = 0.01


def seconds_of_a_run(run: Thunk, backend: Any, calls: int = 1) -> float:
    """Seconds of one of `calls` runs; the device is waited for once, after the last."""
    start = time.perf_counter()
    for _ in range(calls):
        outputs = run()
    backend.wait(outputs)
    return (time.perf_counter() - start) / calls


def calls_of_a_measurement(seconds: float) -> int:
    """How often to run what takes `seconds`."""
    return max(1, math.ceil(SHORTEST_MEASUREMENT / seconds))
