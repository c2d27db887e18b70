"""Tables of results, against numbers by hand."""

import math

import pytest

from keras_axlstm.evaluation.report import RunResult, Score, ScoreTable
from keras_axlstm.evaluation.score import TASKS, table2

pytestmark = pytest.mark.any_backend

PAPER_FOLDERS = (
    "beijing_opera-v1.0-hear2021-full",
    "mridangam_stroke-v1.5-full",
    "mridangam_tonic-v1.5-full",
    "nsynth_pitch-v2.2.3-5h",
    "tfds_crema_d-1.0.0-full",
    "libricount-v1.0.0-hear2021-full",
    "speech_commands-v0.0.2-5h",
    "vox_lingua_top10-hear2021-full",
    "esc50-v2.0.0-full",
    "fsd50k-v1.0-full",
)


def result(model, task, mean, half_width=1.0, identity="abc", metric="top1_acc"):
    """A result with a score in percent."""
    interval = None if math.isnan(half_width) else half_width / 100
    scores = {metric: {"mean": mean / 100, "half_width": interval, "seeds": [mean / 100]}}
    return RunResult(
        model=model,
        model_identity=identity,
        task=task,
        task_digest="t",
        inputs_digest="i",
        protocol={"name": "paper"},
        num_seeds=10,
        probe={"metrics": [metric], "scores": scores},
        details={},
    )


def test_overall_score_and_its_interval():
    results = [
        result("low", "a-1-x", 20.0, 1.0),
        result("low", "b-1-x", 70.0, 2.0),
        result("middle", "a-1-x", 30.0, 1.0),
        result("middle", "b-1-x", 60.0, 2.0),
        result("high", "a-1-x", 60.0, 1.0),
        result("high", "b-1-x", 80.0, 2.0),
    ]
    rows = {row.model: row for row in ScoreTable.of(results).rows}
    # Task a spans 40 points and b 20, of two tasks: 1.25 and 2.5 points of s(m) a point.
    half_width = math.hypot(1.25 * 1.0, 2.5 * 2.0)
    for name, expected in (("low", 25.0), ("middle", 12.5), ("high", 100.0)):
        assert rows[name].overall.mean == pytest.approx(expected)
        assert rows[name].overall.half_width == pytest.approx(half_width)
        assert rows[name].on_paper_scale is None


def test_model_without_all_tasks_has_no_overall_score_and_changes_none():
    results = [result(m, t, x) for m, t, x in (("p", "a", 1), ("p", "b", 2), ("q", "a", 3))]
    rows = {row.model: row for row in ScoreTable.of([*results, result("q", "b", 9)]).rows}
    assert rows["q"].overall.mean == pytest.approx(100)
    with_third = {
        row.model: row
        for row in ScoreTable.of([*results, result("q", "b", 9), result("r", "a", 100)]).rows
    }
    assert with_third["r"].overall is None
    assert with_third["q"].overall == rows["q"].overall


def test_scale_of_the_paper_and_its_rows():
    published = table2()[-1]
    results = [
        result("mine", folder, published.scores[task], published.half_widths[task])
        for folder, task in zip(PAPER_FOLDERS, TASKS, strict=True)
    ]
    table = ScoreTable.of(results, [published])
    assert table.tasks == TASKS
    mine, theirs = table.rows
    assert mine.on_paper_scale.mean == pytest.approx(published.score, abs=0.05)
    assert theirs.model == f"{published.model} (paper)" and theirs.published
    assert theirs.on_paper_scale == Score(published.score, published.half_width)


def test_miniature_tasks_are_not_taken_for_those_of_the_paper():
    folders = [folder.rsplit("-", 1)[0] + "-mini" for folder in PAPER_FOLDERS]
    table = ScoreTable.of([result("mine", folder, 50.0) for folder in folders])
    assert table.tasks[0] == "beijing_opera"
    assert table.rows[0].on_paper_scale is None


def test_two_models_of_one_name_are_told_apart():
    results = [
        result("model", "a", 1.0, identity="1234567"),
        result("model", "a", 2.0, identity="abcdefg"),
    ]
    assert [row.model for row in ScoreTable.of(results).rows] == [
        "model [123456]",
        "model [abcdef]",
    ]


def test_markdown():
    results = [
        result("one", "a-1-x", 20.04, 1.26),
        result("two", "a-1-x", 30.0, math.nan),
        result("two", "b-1-x", 5.0, 0.04, metric="mAP"),
    ]
    lines = ScoreTable.of(results).markdown().splitlines()
    assert lines[:4] == [
        "| Model | a | b | s(m) |",
        "| --- | ---: | ---: | ---: |",
        "| one | 20.0 ± 1.3 | – | – |",
        "| two | 30.0 | 5.0 ± 0.0 | – |",
    ]
    assert "a top1_acc, b mAP" in lines[-1] and "10 seeds" in lines[-1]


def test_file_and_back(tmp_path):
    saved = result("model", "a", 12.5)
    saved.save(tmp_path / "deeper" / "a.json")
    assert RunResult.load(tmp_path / "deeper" / "a.json") == saved


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 1}', '{"format": 1, "model": 3, "x": 0}']
)
def test_file_that_is_none_of_ours(content, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="a.json"):
        RunResult.load(path)
