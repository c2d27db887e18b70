"""The linear probe: folds in turn, the split test, and what it refuses."""

import sys

import linear_probe
import numpy as np
import pytest
import soundfile

from tests.support.task_folder import write_task

pytestmark = pytest.mark.any_backend

LOUDNESS = {"cat": 0.3, "dog": 0.03, "owl": 0.003}


def call(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["linear_probe.py", *map(str, arguments)])
    return linear_probe.main()


def loud_and_soft(folder, splits, mislabelled=()):
    """A task whose labels say how loud the noise is, except in the splits `mislabelled`."""
    rng = np.random.default_rng(0)
    names = list(LOUDNESS)
    annotations = {}
    for split in splits:
        told = {f"{split}-{name}-{i}.wav": [name] for name in names for i in range(4)}
        annotations[split] = told
    task = write_task(folder, annotations, splits=list(splits), nfolds=len(splits))
    for split, told in annotations.items():
        for file, (label,) in told.items():
            place = (names.index(label) + (split in mislabelled)) % len(names)
            noise = LOUDNESS[names[place]] * rng.normal(size=1600).clip(-3, 3)
            soundfile.write(task / "16000" / split / file, noise, 16000)
    return task


def test_each_fold_in_turn(monkeypatch, tmp_path, capsys):
    task = loud_and_soft(tmp_path, ("fold00", "fold01", "fold02"))
    cache = tmp_path / "cache"
    assert call(monkeypatch, task, "--model", "logmel", "--cache", cache) == 0
    assert capsys.readouterr().out == f"logmel  {task.name}  100.0  (100.0 100.0 100.0)\n"


def test_a_fold_of_other_labels_is_wrong_when_it_is_its_turn(monkeypatch, tmp_path, capsys):
    folds = [f"fold{i:02d}" for i in range(4)]
    task = loud_and_soft(tmp_path, folds, mislabelled=folds[1:2])
    assert call(monkeypatch, task, "--model", "logmel", "--cache", tmp_path / "cache") == 0
    scores = capsys.readouterr().out.split("(")[1].rstrip(")\n").split()
    assert scores[1] == "0.0" and len(scores) == 4


def test_several_labels_a_clip_are_refused(monkeypatch, tmp_path, capsys):
    task = write_task(tmp_path, prediction_type="multilabel", evaluation=["mAP"])
    assert call(monkeypatch, task, "--model", "logmel") == 1
    assert "expected a task with one label a clip" in capsys.readouterr().err
