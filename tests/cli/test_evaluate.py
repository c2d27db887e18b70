"""`keras-axlstm evaluate`."""

import json

import numpy as np
import pytest
import soundfile

from keras_axlstm.cli.main import main
from keras_axlstm.evaluation import run as evaluation
from keras_axlstm.evaluation.report import RunResult, Score
from keras_axlstm.evaluation.score import table2
from tests.support.small_preset import save_small_preset
from tests.support.task_folder import FOLDS, write_task

CLIPS = 8


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Two tasks of tones: which of three pitches, and which of three are sounding."""
    folder = tmp_path_factory.mktemp("tasks")
    rng = np.random.default_rng(0)
    labels = ("cat", "dog", "owl")
    one = {split: {f"{split}_{i}.wav": [labels[i % 3]] for i in range(CLIPS)} for split in FOLDS}
    several = {
        split: {
            f"{split}_{i}.wav": [label for bit, label in enumerate(labels) if i >> bit & 1]
            for i in range(CLIPS)
        }
        for split in FOLDS
    }
    folders = [
        write_task(folder, one, task_name="animals", evaluation=["top1_acc"]),
        write_task(
            folder, several, task_name="zoo", prediction_type="multilabel", evaluation=["mAP"]
        ),
    ]
    time = np.arange(1600) / 16000
    for task, annotations in zip(folders, (one, several), strict=True):
        for split, clips in annotations.items():
            for name, present in clips.items():
                tones = sum(
                    np.sin(2 * np.pi * 400 * 3 ** labels.index(label) * time) for label in present
                )
                clip = 0.2 * tones + 0.001 * rng.normal(size=1600)
                soundfile.write(task / "16000" / split / name, clip, 16000)
    return folder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("preset"))


def run(tasks, output, *arguments):
    return main(
        ["evaluate", "--tasks-dir", str(tasks), "--output", str(output), "--protocol", "fast"]
        + ["--seeds", "2", "--no-progress", *map(str, arguments)]
    )


def test_models_on_tasks(tasks, preset, tmp_path, capsys, monkeypatch):
    assert run(tasks, tmp_path, "--model", "logmel") == 0
    printed = capsys.readouterr().out
    results = {
        (result.model, result.task): result
        for result in map(RunResult.load, (tmp_path / "results").glob("*/*.json"))
    }
    assert len(results) == 2
    for (model, task), result in results.items():
        assert f"{model} on {task}: {result.mean:.1f} %" in printed
        assert result.mean > 90  # chance is 33 % on animals
    logmel = results["logmel", "zoo-1.0-small"]
    assert logmel.metric == "mAP" and logmel.half_width < 10
    assert len(logmel.probe["seeds"]) == 2 and logmel.protocol["name"] == "fast"
    table = (tmp_path / "table.md").read_text()
    assert table.startswith("| Model | animals | zoo | s(m) |")
    assert f"| {Score(logmel.mean, logmel.half_width)} |" in table
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")

    # Nothing is computed again, and another model joins the table.
    computed = []
    real = evaluation.run_probe
    monkeypatch.setattr(
        evaluation, "run_probe", lambda task, *rest: computed.append(task.name) or real(task, *rest)
    )
    assert run(tasks, tmp_path, "--model", "logmel", preset) == 0
    assert computed == ["animals-1.0-small", "zoo-1.0-small"]
    assert f"| {preset.name} |" in (tmp_path / "table.md").read_text()
    assert run(tasks, tmp_path, "--model", "logmel", "--tasks", "zoo", "--seeds", 3) == 0
    assert computed[2:] == ["zoo-1.0-small"]
    assert preset.name not in (tmp_path / "table.md").read_text()


def test_rows_of_the_paper(tasks, tmp_path, capsys):
    assert run(tasks, tmp_path, "--model", "logmel", "--tasks", "zoo", "--table2", "AxLSTM-T") == 0
    row = next(row for row in table2() if row.model == "AxLSTM-T")
    assert (
        f"AxLSTM-T (paper) | – | – | {row.score} ± {row.half_width}"
        in (tmp_path / "table.md").read_text()
    )


def test_broken_tasks_are_named_before_any_model_is_opened(tasks, tmp_path, capsys):
    broken = write_task(tmp_path / "tasks")
    (broken / "16000" / "fold00" / "fold00_0.wav").unlink()
    (broken / "fold01.json").write_text(json.dumps({"fold01_0.wav": ["cat", "dog"]}))
    assert run(tmp_path / "tasks", tmp_path / "output", "--model", "no-such-model") == 1
    lines = capsys.readouterr().err.splitlines()
    assert any("fold00_0.wav" in line for line in lines)
    assert any("fold01.json" in line and "label" in line for line in lines)
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--model", "logmel", "--table2", "AxLSTM-X"], "AxLSTM-X"),
        (["--model", "logmel", "--tasks", "fishes"], "fishes"),
    ],
)
def test_bad_arguments(arguments, message, tasks, tmp_path, capsys):
    assert run(tasks, tmp_path / "output", *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_file_of_another_kind_among_the_results(tasks, tmp_path, capsys):
    (tmp_path / "results" / "mine").mkdir(parents=True)
    (tmp_path / "results" / "mine" / "notes.json").write_text("{}")
    assert run(tasks, tmp_path, "--model", "logmel", "--tasks", "zoo") == 1
    assert "notes.json" in capsys.readouterr().err
