"""One number for a model: the overall score s(m) of its task scores.

s(m) is the mean over tasks of 100 (x - min) / (max - min), where min and max are those of all
models on the task. It is linear in the task scores: s = sum_t weight_t x_t + constant.
"""

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from keras_axlstm.evaluation.confidence import half_width
from keras_axlstm.evaluation.score.table2_rows import TASKS, table2


def paper_score(scores: Mapping[str, float]) -> float:
    """s(m) on the scale of the paper, comparable to its Table 2.

    The paper takes minima and maxima over single seeds, which are not printed. The weights are
    therefore the least-squares fit to the twenty printed rows, which it meets to 0.05.

    Args:
        scores: of all ten `TASKS`, in percent.

    Returns:
        0 to 100 within the models of the paper.

    Raises:
        ValueError: a task is missing or unknown, or a score is not a number.

    Example:

    ```python
    from keras_axlstm.evaluation.score import paper_score, table2

    paper_score(table2()[-1].scores)  # 86.6
    ```
    """
    _check(scores, TASKS)
    weights, constant = paper_weights()
    return sum(weights[task] * scores[task] for task in TASKS) + constant


@functools.cache
def paper_weights() -> tuple[dict[str, float], float]:
    """The weight of each task in `paper_score`, and the constant."""
    rows = table2()
    scores = np.array([[row.scores[task] for task in TASKS] + [1.0] for row in rows])
    fit, *_ = np.linalg.lstsq(scores, np.array([row.score for row in rows]), rcond=None)
    return dict(zip(TASKS, fit[:-1].tolist(), strict=True)), float(fit[-1])


def table_scores(models: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """s(m) of each model of a table of one's own, by its minima and maxima.

    Args:
        models: scores by task, of every model for the same tasks. Any unit.

    Returns:
        0 (worst on every task) to 100 (best on every task), by model. A task on which all models
        are equal says nothing and is left out; NaN if that leaves none.

    Raises:
        ValueError: models of different tasks, or a score is not a number.
    """
    if not models:
        return {}
    weights, constant = table_weights(models)
    return {
        model: sum(weights[task] * scores[task] for task in weights) + constant
        for model, scores in models.items()
    }


def table_weights(models: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, float], float]:
    """The weights and constant of `table_scores`; its arguments and errors."""
    tasks = tuple(next(iter(models.values())))
    for model, scores in models.items():
        _check(scores, tasks, f"Model {model}: ")
    low = {task: min(scores[task] for scores in models.values()) for task in tasks}
    high = {task: max(scores[task] for scores in models.values()) for task in tasks}
    differing = [task for task in tasks if high[task] > low[task]]
    if not differing:
        return {}, math.nan
    weights = {task: 100.0 / len(differing) / (high[task] - low[task]) for task in differing}
    return weights, -sum(weights[task] * low[task] for task in differing)


def score_half_width(weights: Mapping[str, float], half_widths: Mapping[str, float]) -> float:
    """Half of the 95 % interval of s(m) from those of its tasks, taken as independent.

    Args:
        weights: of each task, as from `paper_weights`.
        half_widths: of each task, in the same unit as its scores.
    """
    _check(half_widths, tuple(weights))
    return math.hypot(*(weights[task] * half_widths[task] for task in weights))


def seeds_score(
    seeds: Mapping[str, Sequence[float]],
) -> tuple[float, float]:
    """Mean s(m) on the scale of the paper, and half of its 95 % interval, from single seeds.

    Args:
        seeds: the scores of every seed, by task, in percent; as many for each task.

    Raises:
        ValueError: as for `paper_score`, or tasks differ in their number of seeds.
    """
    counts = {len(values) for values in seeds.values()}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"Expected as many seeds for each task, received {sorted(counts)}.")
    values = [
        paper_score({task: several[i] for task, several in seeds.items()})
        for i in range(counts.pop())
    ]
    return float(np.mean(values)), half_width(values)


def _check(values: Mapping[str, float], tasks: Sequence[str], who: str = "") -> None:
    missing, unknown = sorted(set(tasks) - set(values)), sorted(set(values) - set(tasks))
    if missing or unknown:
        raise ValueError(
            f"{who}Expected the tasks {tuple(tasks)}; missing {missing}, unknown {unknown}."
        )
    bad = sorted(task for task in tasks if not math.isfinite(values[task]))
    if bad:
        raise ValueError(f"{who}Expected finite numbers, received others for {bad}.")
