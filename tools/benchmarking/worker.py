"""Times one case: `python -m benchmarking.worker CASE OPTIONS`, both JSON, run by `processes`.

Once the case is built and warm, it answers requests, one a line: `repeat N` with N measurements,
`finish` with the figures that would disturb them. Every answer is a line of JSON.
"""

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from benchmarking.backends import BACKENDS, Thunk
from benchmarking.cases import OFFICIAL, OURS, Case, case_from_dict
from benchmarking.clock import calls_of_a_measurement, seconds_of_a_run
from benchmarking.flops import up_projection_shape
from benchmarking.memory import ResidentMemory

# In turns with another process, a measurement off the clock wakes the threads and fetches the data
# back into the caches; it is left out where one takes so long that this does not matter.
LONGEST_PRELUDE = 0.5


class Timer:
    """The case, built, compiled and warmed up."""

    def __init__(self, case: Case, warm_up: int, official: Path | None) -> None:
        import keras

        self._case = case
        self._backend = BACKENDS[case.backend]()
        # The backend's own start is none of the case's business.
        self._backend.wait(keras.ops.convert_to_numpy(keras.ops.ones((8, 8)) + 1))
        build = self._builder(official)
        memory = self._memory = ResidentMemory()
        self._run, self.figures = build()
        self.figures["device"] = self._backend.device()
        self.figures["first_call_seconds"] = self._measure()
        self.figures["memory_with_first_call"] = memory.growth()
        self._peak_restarts = memory.restart()
        self._backend.restart_device_peak()
        warm_up_seconds = [self._measure() for _ in range(warm_up)]
        self.figures["warm_up_seconds"] = sum(warm_up_seconds)
        self._last = min(warm_up_seconds)
        self._calls = calls_of_a_measurement(self._last)
        self.figures["calls_per_measurement"] = self._calls

    def repeat(self, count: int) -> list[float]:
        """Seconds of one run, measured `count` times."""
        if self._last < LONGEST_PRELUDE:
            self._measure(self._calls)
        seconds = [self._measure(self._calls) for _ in range(count)]
        self._last = seconds[-1]
        return seconds

    def finish(self) -> dict[str, Any]:
        """Peak memory since the warm-up began, then the speed of matrix products."""
        from benchmarking.matmul import LARGE_SQUARE, SQUARE, matmul_flops_per_second

        running = self._memory.growth() if self._peak_restarts else None
        device = self._backend.device_peak()
        square = SQUARE if self._backend.device() == "cpu" else LARGE_SQUARE
        shapes = {"square": square, "up_projection": up_projection_shape(self._case)}
        speeds = {
            name: matmul_flops_per_second(self._backend, self._case.dtype, shape)
            for name, shape in shapes.items()
        }
        return {
            "memory_running": running,
            "memory_on_device": device,
            "matmul_flops_per_second": speeds,
        }

    def _builder(self, official: Path | None) -> Callable[[], tuple[Thunk, dict[str, Any]]]:
        """What builds the case and gives figures about it; its imports are done."""
        if self._case.source == OURS:
            from benchmarking import ours

            return lambda: (ours.build(self._case, self._backend), {})
        if self._case.source == OFFICIAL:
            from benchmarking import official as authors

            if official is None:
                raise ValueError("expected the path of a checkout of the authors' code")
            return lambda: (authors.build(self._case, official), {})
        from benchmarking import peers

        return lambda: peers.build(self._case, self._backend)

    def _measure(self, calls: int = 1) -> float:
        return seconds_of_a_run(self._run, self._backend, calls)


def serve(case: Case, options: dict[str, Any], requests: TextIO, answers: TextIO) -> None:
    """Answer requests until `finish` or the end of the requests."""

    def answer(content: Any) -> None:
        print(json.dumps(content), file=answers, flush=True)

    official = options["official"]
    timer = Timer(case, options["warm_up"], Path(official) if official else None)
    answer(timer.figures)
    for request in requests:
        command, *arguments = request.split()
        if command == "finish":
            answer(timer.finish())
            return
        answer(timer.repeat(int(arguments[0])))


def main() -> int:
    case = case_from_dict(json.loads(sys.argv[1]))
    # The libraries' own prints go to stderr: stdout is for answers.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            try:
                serve(case, json.loads(sys.argv[2]), sys.stdin, answers)
            except Exception as error:
                traceback.print_exc()
                # In the manner of a traceback's last line.
                last = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
                print(json.dumps({"error": last}), file=answers, flush=True)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
