import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keras_axlstm.evaluation.report.run_result import RunResult
from keras_axlstm.evaluation.score import (
    TASKS,
    PublishedRow,
    paper_score,
    paper_weights,
    score_half_width,
    table_scores,
    table_weights,
)

# The paper's name of a task of HEAR 2021, by the beginning of its folder's name.
PAPER_TASKS = {
    "beijing_opera-": "BO",
    "mridangam_stroke-": "Mri-S",
    "mridangam_tonic-": "Mri-T",
    "nsynth_pitch-": "NS-5h",
    "tfds_crema_d-": "CD",
    "libricount-": "LC",
    "speech_commands-": "SC-5h",
    "vox_lingua_top10-": "VL",
    "esc50-": "E50",
    "fsd50k-": "F50K",
}


@dataclass(frozen=True)
class Score:
    """A number with its 95 % interval, in percent; NaN half-width if it has none."""

    mean: float
    half_width: float = math.nan

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "–"
        interval = "" if math.isnan(self.half_width) else f" ± {self.half_width:.1f}"
        return f"{self.mean:.1f}{interval}"


@dataclass(frozen=True)
class Row:
    """A model in a table.

    Attributes:
        model: its name.
        scores: by task, in percent; tasks that were not measured are absent.
        overall: s(m) by the minima and maxima of the table, None where it has none.
        on_paper_scale: s(m) on the scale of the paper, None unless all of its tasks were measured.
        published: whether the paper measured it.
    """

    model: str
    scores: Mapping[str, Score]
    overall: Score | None
    on_paper_scale: Score | None
    published: bool = False


@dataclass(frozen=True)
class ScoreTable:
    """All models on all tasks.

    Attributes:
        tasks: column names.
        metrics: name of each column's score.
        rows: the models; published ones last.
        protocol: name of the protocol.
        num_seeds: seeds of every score.
    """

    tasks: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    protocol: str
    num_seeds: int

    @classmethod
    def of(
        cls, results: Sequence[RunResult], published: Sequence[PublishedRow] = ()
    ) -> "ScoreTable":
        """The table of results, of one protocol and number of seeds.

        Args:
            results: of any models and tasks. s(m) within the table is that of the models which
                have all tasks.
            published: rows of the paper to show beside them.

        Example:

        ```python
        from pathlib import Path
        from keras_axlstm.evaluation.report import RunResult, ScoreTable

        files = Path("evaluation").glob("results/*/*.json")
        table = ScoreTable.of([RunResult.load(path) for path in files])  # doctest: +SKIP
        print(table.markdown())  # doctest: +SKIP
        ```
        """
        metrics = {column_name(result.task): result.metric for result in results}
        models = _by_model(results)
        complete = {name: scores for name, scores in models.items() if len(scores) == len(metrics)}
        overall = _overall(complete)
        rows = [
            Row(name, scores, overall.get(name), _on_paper_scale(scores))
            for name, scores in models.items()
        ]
        rows += [
            Row(
                f"{row.model} (paper)",
                {task: Score(row.scores[task], row.half_widths[task]) for task in row.scores},
                None,
                Score(row.score, row.half_width),
                published=True,
            )
            for row in published
        ]
        return cls(
            tuple(metrics),
            tuple(metrics.values()),
            tuple(rows),
            results[0].protocol["name"] if results else "",
            results[0].num_seeds if results else 0,
        )

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows as text."""
        with_paper = any(row.on_paper_scale for row in self.rows)
        header = ["Model", *self.tasks, "s(m)", *(["s(m), paper"] if with_paper else [])]
        lines = []
        for row in self.rows:
            line = [row.model, *(str(row.scores.get(task, "–")) for task in self.tasks)]
            line.append(str(row.overall or "–"))
            if with_paper:
                line.append(str(row.on_paper_scale or "–"))
            lines.append(line)
        return header, lines

    def markdown(self) -> str:
        """A Markdown table with a line that says what its numbers are."""
        header, lines = self.cells()
        width = len(header)
        rows = [header, ["---", *["---:"] * (width - 1)], *lines]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"{table}\n\n{self.caption()}\n"

    def caption(self) -> str:
        """What the numbers are."""
        metrics = ", ".join(
            f"{task} {metric}" for task, metric in zip(self.tasks, self.metrics, strict=True)
        )
        return (
            f"Test scores in percent ({metrics}): mean and 95 % interval of {self.num_seeds} seeds "
            f"of the probe, protocol {self.protocol}. s(m): mean of the scores, each scaled to 0 "
            "for the worst and 100 for the best model of this table."
        )


def column_name(task: str) -> str:
    """The paper's name of a task, or the folder's name without version and mode."""
    for beginning, name in PAPER_TASKS.items():
        if task.startswith(beginning) and not task.endswith("-mini"):
            return name
    return task.split("-", 1)[0]


def _by_model(results: Sequence[RunResult]) -> dict[str, dict[str, Score]]:
    """Scores by model and task; models of one name are told apart by their identity."""
    identities: dict[str, set[str]] = {}
    for result in results:
        identities.setdefault(result.model, set()).add(result.model_identity)
    models: dict[str, dict[str, Score]] = {}
    for result in results:
        alone = len(identities[result.model]) == 1
        name = result.model if alone else f"{result.model} [{result.model_identity[:6]}]"
        score = Score(result.mean, result.half_width)
        models.setdefault(name, {})[column_name(result.task)] = score
    return models


def _overall(models: Mapping[str, Mapping[str, Score]]) -> dict[str, Score]:
    """s(m) within the table; none for a single model."""
    if len(models) < 2:
        return {}
    means = {name: {task: s.mean for task, s in scores.items()} for name, scores in models.items()}
    weights, _ = table_weights(means)
    return {
        name: Score(
            value,
            score_half_width(weights, {task: models[name][task].half_width for task in weights}),
        )
        for name, value in table_scores(means).items()
    }


def _on_paper_scale(scores: Mapping[str, Score]) -> Score | None:
    if set(scores) != set(TASKS):
        return None
    weights, _ = paper_weights()
    return Score(
        paper_score({task: score.mean for task, score in scores.items()}),
        score_half_width(weights, {task: score.half_width for task, score in scores.items()}),
    )
