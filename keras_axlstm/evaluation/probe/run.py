"""Search the grid, train on every fold, score the test splits."""

import dataclasses
from collections.abc import Sequence

from keras_axlstm.evaluation.probe.candidate import Candidate
from keras_axlstm.evaluation.probe.grid_point import GridPoint
from keras_axlstm.evaluation.probe.group import probabilities
from keras_axlstm.evaluation.probe.probe_result import FoldResult, ProbeResult, SeedResult
from keras_axlstm.evaluation.probe.probe_task import ProbeTask
from keras_axlstm.evaluation.probe.protocol import PAPER, PROTOCOLS, Protocol
from keras_axlstm.evaluation.probe.training import train


def run_probe(
    task: ProbeTask, protocol: Protocol | str = PAPER, seeds: Sequence[int] = tuple(range(10))
) -> ProbeResult:
    """Train probes on the embeddings of a task and score them.

    All grid points of all seeds are trained together on the first fold; of each seed the one with
    the best validation score is then trained on the other folds. A seed gives the same result,
    up to rounding, whichever other seeds are trained with it.

    Args:
        task: embeddings and labels.
        protocol: "paper", "heareval", "fast", or settings of your own.
        seeds: whole numbers of 0 or more. heareval itself uses 42.

    Returns:
        Scores of every seed.

    Raises:
        ValueError: an unknown protocol, no seeds, equal or negative ones; or no grid point of a
            seed gave finite predictions and a defined score.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.probe import ProbeSplit, ProbeTask, run_probe

    def split(n):
        return ProbeSplit(np.random.randn(n, 8), np.eye(2, dtype=bool)[np.arange(n) % 2])

    splits = {"train": split(50), "valid": split(20), "test": split(20)}
    task = ProbeTask("toy", "multiclass", "trainvaltest", ("top1_acc",), ("a", "b"), splits)
    result = run_probe(task, "fast", seeds=(0, 1, 2))
    print(result.mean, result.half_width)
    ```
    """
    protocol = _protocol(protocol)
    seeds = _seeds(seeds)
    grid = {seed: protocol.grid_of(seed) for seed in seeds}
    chosen: dict[int, GridPoint] = {}
    grid_scores: dict[int, list[dict[str, object]]] = {}
    folds: dict[int, list[FoldResult]] = {seed: [] for seed in seeds}
    for number, (test, valid, rest) in enumerate(task.folds()):
        candidates = {
            seed: [
                Candidate(seed, number, point)
                for point in ((chosen[seed],) if number else grid[seed])
            ]
            for seed in seeds
        }
        train(
            [candidate for several in candidates.values() for candidate in several],
            task,
            rest,
            valid,
            protocol,
        )
        for seed, several in candidates.items():
            best = max(several, key=lambda candidate: candidate.score)
            folds[seed].append(_tested(best, task, test, valid))
            if not number:
                chosen[seed] = best.point
                grid_scores[seed] = [
                    {
                        **dataclasses.asdict(c.point),
                        "validation_score": c.score if c.best else None,
                        "epoch": c.epoch,
                        "epochs": c.epochs,
                    }
                    for c in several
                ]
    results = [
        SeedResult(seed, dataclasses.asdict(chosen[seed]), grid_scores[seed], folds[seed])
        for seed in seeds
    ]
    return ProbeResult(task.name, protocol.name, list(task.evaluation), results)


def _tested(candidate: Candidate, task: ProbeTask, test: str, valid: str) -> FoldResult:
    best = candidate.best
    if best is None:
        raise ValueError(
            f"Task {task.name}, seed {candidate.seed}, test split {test}: no probe gave finite "
            f"predictions and a defined {task.evaluation[0]} on its validation split. Scale the "
            "embeddings down, lower the learning rate, or see whether the validation split has "
            "clips of every class."
        )
    scores, chosen = task.tested(
        test, valid, lambda embeddings: probabilities(best, embeddings, task.multilabel)[0]
    )
    return FoldResult(test, scores, candidate.score, candidate.epoch, candidate.epochs, chosen)


def _protocol(protocol: Protocol | str) -> Protocol:
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        raise ValueError(
            f"Expected a protocol of {tuple(PROTOCOLS)} or a Protocol, received {protocol!r}."
        )
    return PROTOCOLS[protocol]


def _seeds(seeds: Sequence[int]) -> list[int]:
    whole = [int(seed) for seed in seeds]
    if not whole or len(set(whole)) < len(whole) or min(whole) < 0:
        raise ValueError(
            f"Expected at least one seed, all different and 0 or more, received {list(seeds)}."
        )
    return whole
