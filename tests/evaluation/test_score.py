"""The overall score against the paper's own column."""

import math

import pytest

from keras_axlstm.evaluation.confidence import half_width
from keras_axlstm.evaluation.score import (
    TASKS,
    paper_score,
    paper_weights,
    score_half_width,
    seeds_score,
    table2,
    table_scores,
    table_weights,
)

pytestmark = pytest.mark.any_backend

# Of what the paper prints to one decimal.
PRINTED = 0.05


@pytest.mark.parametrize("row", table2(), ids=lambda row: row.model)
def test_paper_score_is_the_printed_one(row):
    assert paper_score(row.scores) == pytest.approx(row.score, abs=PRINTED)


def test_table2_has_the_rows_of_the_paper():
    rows = {row.model: row for row in table2()}
    assert len(rows) == 20
    tiny = rows["AxLSTM-T"]
    assert (tiny.group, tiny.pretraining_data, tiny.params_millions) == ("axlstm", "AS", 4.3)
    assert (tiny.scores["SC-5h"], tiny.half_widths["SC-5h"]) == (69.0, 1.6)
    assert (tiny.score, tiny.half_width) == (70.7, 0.2)
    assert rows["AudioMAE"].params_include_decoder is False
    assert rows["MWMAE-Base"].params_include_decoder is True
    assert math.isnan(rows["HEAR-Naive"].params_millions)


def test_table_scores_are_means_of_min_max():
    models = {
        "a": {"x": 0.0, "y": 50.0, "same": 1.0},
        "b": {"x": 10.0, "y": 70.0, "same": 1.0},
        "c": {"x": 5.0, "y": 50.0, "same": 1.0},
    }
    assert table_scores(models) == pytest.approx({"a": 0.0, "b": 100.0, "c": 25.0})
    weights, constant = table_weights(models)
    assert weights == pytest.approx({"x": 5.0, "y": 2.5}) and constant == pytest.approx(-125.0)
    assert table_scores({}) == {}
    assert math.isnan(table_scores({"only": {"x": 1.0}})["only"])


def test_intervals():
    weights, _ = paper_weights()
    widths = dict.fromkeys(TASKS, 0.5)
    expected = 0.5 * math.sqrt(sum(weight**2 for weight in weights.values()))
    assert score_half_width(weights, widths) == pytest.approx(expected)
    base = table2()[0].scores
    seeds = {task: [base[task], base[task] + 1.0, base[task] - 0.5] for task in TASKS}
    mean, width = seeds_score(seeds)
    total = sum(weights.values())
    assert mean == pytest.approx(paper_score(base) + total * 0.5 / 3)
    assert width == pytest.approx(total * half_width([0.0, 1.0, -0.5]))


def test_bad_scores_are_refused():
    scores = dict(table2()[0].scores)
    with pytest.raises(ValueError, match=r"missing \['BO'\], unknown \['XX'\]"):
        paper_score({"XX" if task == "BO" else task: x for task, x in scores.items()})
    with pytest.raises(ValueError, match=r"finite numbers, received others for \['CD'\]"):
        paper_score(scores | {"CD": math.nan})
    with pytest.raises(ValueError, match="Model b: Expected the tasks"):
        table_scores({"a": {"x": 1.0}, "b": {"y": 1.0}})
    with pytest.raises(ValueError, match=r"as many seeds for each task, received \[1, 2\]"):
        seeds_score({"BO": [1.0], "CD": [1.0, 2.0]})
