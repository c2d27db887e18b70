"""Table 2 of the Audio xLSTM paper: twenty models on ten tasks."""

import csv
import functools
import importlib.resources
import math
from types import MappingProxyType

from keras_axlstm.evaluation.score.published_row import PublishedRow

TASKS = ("BO", "Mri-S", "Mri-T", "NS-5h", "CD", "LC", "SC-5h", "VL", "E50", "F50K")


@functools.cache
def table2() -> tuple[PublishedRow, ...]:
    """The rows of Table 2, in its order: means and 95 % half-widths in percent.

    Example:

    ```python
    from keras_axlstm.evaluation.score import table2

    row = next(row for row in table2() if row.model == "AxLSTM-T")
    row.scores["NS-5h"], row.score  # 62.5, 70.7
    ```
    """
    file = importlib.resources.files("keras_axlstm.evaluation.score") / "table2.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return tuple(_row(row) for row in rows)


def _row(row: dict[str, str]) -> PublishedRow:
    return PublishedRow(
        group=row["group"],
        model=row["model"],
        pretraining_data=row["pretraining_data"],
        params_millions=float(row["params_millions"] or math.nan),
        params_include_decoder=row["params_include_decoder"] == "yes",
        scores=MappingProxyType({task: float(row[task]) for task in TASKS}),
        half_widths=MappingProxyType({task: float(row[f"{task}_ci95"]) for task in TASKS}),
        score=float(row["score"]),
        half_width=float(row["score_ci95"]),
    )
