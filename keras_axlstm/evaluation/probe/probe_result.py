"""What a probe found."""

import dataclasses
import math
import statistics
from typing import Any

from keras_axlstm.evaluation.confidence import half_width


@dataclasses.dataclass(frozen=True)
class FoldResult:
    """The chosen model of one seed on one fold.

    Attributes:
        test: name of the test split.
        scores: test score by metric, as fractions (`d_prime`: any number).
        validation_score: of the primary metric, at the checkpoint.
        epoch: epochs trained at the checkpoint.
        epochs: epochs trained in all.
        chosen: what the task chose on the validation split for the test; nothing for scenes.
    """

    test: str
    scores: dict[str, float]
    validation_score: float
    epoch: int
    epochs: int
    chosen: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class SeedResult:
    """The result of one seed.

    Attributes:
        seed: the seed.
        grid_point: the hyper-parameters with the best validation score on the first fold.
        grid_scores: validation score of every grid point tried, in the order of trial. None where
            no predictions were finite.
        folds: one entry for each test split.
    """

    seed: int
    grid_point: dict[str, float | int | str]
    grid_scores: list[dict[str, Any]]
    folds: list[FoldResult]

    def score(self, metric: str) -> float:
        """Mean test score over the folds."""
        return statistics.fmean(fold.scores[metric] for fold in self.folds)


@dataclasses.dataclass(frozen=True)
class ProbeResult:
    """The results of all seeds on one task.

    Attributes:
        task: its name.
        protocol: name of the protocol.
        metrics: names of the scores; the first is the primary one.
        seeds: one entry for each seed.
    """

    task: str
    protocol: str
    metrics: list[str]
    seeds: list[SeedResult]

    def scores(self, metric: str | None = None) -> list[float]:
        """Test score of every seed, of the primary metric unless another is named."""
        return [seed.score(metric or self.metrics[0]) for seed in self.seeds]

    @property
    def mean(self) -> float:
        """Mean primary test score over the seeds, as a fraction."""
        return statistics.fmean(self.scores())

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of `mean`; NaN for one seed."""
        return half_width(self.scores())

    def as_json(self) -> dict[str, Any]:
        """For `json.dump`, with mean and interval of every score; NaN and infinity become None."""
        summary = {
            metric: {
                "mean": statistics.fmean(self.scores(metric)),
                "half_width": half_width(self.scores(metric)),
                "seeds": self.scores(metric),
            }
            for metric in self.metrics
        }
        return _finite({**dataclasses.asdict(self), "scores": summary})


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
