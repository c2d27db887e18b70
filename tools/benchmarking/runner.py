"""Times groups of cases, each of ours in turns with its rivals."""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarking.cases import Case, Group
from benchmarking.flops import case_flops
from benchmarking.processes import Worker, WorkerError

# Measurements of one process before it is the other's turn.
TURN = 3
# Fewer measurements than this are not cut short.
FEWEST = 3


@dataclass(frozen=True)
class Effort:
    """How long a case is measured."""

    repeats: int
    warm_up: int
    max_seconds: float
    together: bool = False  # all processes of a group start at the same time


class Timed:
    """A case in its process, with the measurements so far. Errors are kept, not raised."""

    def __init__(self, case: Case, effort: Effort, official: Path | None) -> None:
        self.case = case
        self.seconds: list[float] = []
        self.error: str | None = None
        self._figures: dict[str, Any] = {}
        self._worker = Worker(case, warm_up=effort.warm_up, official=official)

    def start(self) -> None:
        """Wait until the case is built and warm."""
        with self._failing():
            self._figures = self._worker.ready()

    def repeat(self, count: int) -> list[float]:
        """New measurements; none once the case has failed."""
        new: list[float] = []
        if self.error is None:
            with self._failing():
                new = self._worker.repeat(count)
        self.seconds += new
        return new

    def finish(self) -> None:
        """Ask for the figures that come last."""
        if self.error is None:
            with self._failing():
                self._figures |= self._worker.finish()

    def close(self) -> None:
        self._worker.close()

    def record(self, against: dict[str, list[float]]) -> dict[str, Any]:
        """The case and its figures, or its error."""
        fields = dataclasses.asdict(self.case)
        if self.error is not None:
            return {"case": fields, "error": self.error}
        return {"case": fields, "figures": figures(self.case, self.seconds, self._figures, against)}

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except WorkerError as error:
            self.error = str(error)


def run_group(
    group: Group,
    effort: Effort,
    official: Path | None,
    add: Callable[[dict[str, Any]], None],
) -> None:
    """Time our cases of the group one after the other, the rivals' processes living on."""
    with ExitStack() as stack:
        running: dict[Case, Timed] = {}
        if effort.together:
            for case in [*group.rivals, *group.ours]:
                running[case] = _open(case, effort, official, stack)
            for timed in running.values():
                timed.start()
        rivals = [
            running.get(rival) or _start(rival, effort, official, stack) for rival in group.rivals
        ]
        for case in group.ours:
            with ExitStack() as own_stack:
                ours = running.get(case) or _start(case, effort, official, own_stack)
                against = _in_turns(ours, rivals, effort)
                ours.finish()
                add(ours.record(against))
        for rival in rivals:
            if not rival.seconds:  # none of ours ran
                rival.repeat(effort.repeats)
            rival.finish()
            add(rival.record({}))


def _open(case: Case, effort: Effort, official: Path | None, stack: ExitStack) -> Timed:
    print(f"  {case} ...", file=sys.stderr, flush=True)
    timed = Timed(case, effort, official)
    stack.callback(timed.close)  # before the long wait, which may be interrupted
    return timed


def _start(case: Case, effort: Effort, official: Path | None, stack: ExitStack) -> Timed:
    timed = _open(case, effort, official, stack)
    timed.start()
    return timed


def _in_turns(ours: Timed, rivals: list[Timed], effort: Effort) -> dict[str, list[float]]:
    """Measure ours, and by label what the rivals took meanwhile: the machine's drift cancels."""
    against: dict[str, list[float]] = {rival.case.label: [] for rival in rivals}
    start = time.monotonic()
    while ours.error is None and len(ours.seconds) < effort.repeats:
        if len(ours.seconds) >= FEWEST and time.monotonic() - start > effort.max_seconds:
            break
        count = min(TURN, effort.repeats - len(ours.seconds))
        for rival in rivals:
            against[rival.case.label] += rival.repeat(count)
        ours.repeat(count)
    return {label: seconds for label, seconds in against.items() if seconds}


def figures(
    case: Case, seconds: list[float], measured: dict[str, Any], against: dict[str, list[float]]
) -> dict[str, Any]:
    """All figures of a case.

    Args:
        case: the case.
        seconds: measurements of one run.
        measured: what its process reported beside them.
        against: by label, what rivals took in turns with it.
    """
    median = statistics.median(seconds)
    lower, upper = quartiles(seconds)
    flops = case_flops(case)
    peak = max(measured["matmul_flops_per_second"].values())
    samples_per_second = case.work.batch / median
    return measured | {
        "seconds": seconds,
        "median_seconds": median,
        "quartiles_seconds": [lower, upper],
        "samples_per_second": samples_per_second,
        "tokens_per_second": samples_per_second * case.work.steps,
        "flops": flops,
        "share_of_matmul_peak": flops / median / peak,
        "against": {
            label: {"median_seconds": statistics.median(theirs), "ratio": ratio(theirs, seconds)}
            for label, theirs in against.items()
        },
    }


def quartiles(seconds: list[float]) -> tuple[float, float]:
    """The first and the third quartile."""
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    lower, _, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return lower, upper


def ratio(theirs: list[float], ours: list[float]) -> float:
    """How many times as fast as they we are, by medians."""
    return statistics.median(theirs) / statistics.median(ours)
