"""Cases of tools/benchmark.py that its tests share."""

import dataclasses

from benchmarking.cases import OFFICIAL, Case, Work

WORK = Work("forward", "axlstm", "test", batch=2, steps=11)
OURS = Case(WORK, "jax", "float32")
THEIRS = Case(WORK, "torch", "float32", source=OFFICIAL)


def changed(case: Case, **changes) -> Case:
    """The case with another work."""
    return dataclasses.replace(case, work=dataclasses.replace(case.work, **changes))
