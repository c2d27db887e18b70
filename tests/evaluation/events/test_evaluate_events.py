"""From a folder of tones to a table of scores."""

import json
import sys

import numpy as np
import pytest
import soundfile

from keras_axlstm.evaluation import evaluate, read_task
from keras_axlstm.evaluation.events.event_scores import require_sed_eval
from keras_axlstm.evaluation.models import EvaluationModel
from keras_axlstm.evaluation.report import ScoreTable
from tests.evaluation.events.event_library import needs_sed_eval
from tests.support.task_folder import write_task

RATE, SECONDS, HOP = 16000, 4, 800
PITCHES = {"low": 400.0, "high": 1600.0}
SPLITS = {"train": 26, "valid": 4, "test": 4}
SCORES = ("event_onset_200ms_fms", "event_onset_50ms_fms", "segment_1s_er")


class ToneModel(EvaluationModel):
    """Magnitudes of a frame of 50 ms at the two pitches, or noise. Times are of the middle."""

    def __init__(self, random):
        super().__init__("random" if random else "tones", f"{random}" * 8, 8 if random else 2)
        self.random = random

    def _scenes(self, clips):
        raise NotImplementedError

    def _timestamps(self, clips):
        return [(self._frames(clip), 25.0 + 50.0 * np.arange(len(clip) // HOP)) for clip in clips]

    def _frames(self, clip):
        frames = clip.reshape(-1, HOP)
        if self.random:
            rng = np.random.default_rng(int(1e6 * np.abs(clip).sum()))
            return rng.normal(size=(len(frames), 8))
        turns = np.outer(np.arange(HOP) / RATE, list(PITCHES.values()))
        return np.abs(frames @ np.exp(2j * np.pi * turns)) / HOP * 10


def write_tones(parent, scores=SCORES, **metadata):
    """Clips of 4 s, with one tone of each pitch on a grid of 50 ms; they may overlap."""
    rng = np.random.default_rng(1)
    annotations = {}
    for split, clips in SPLITS.items():
        annotations[split] = {
            f"{split}{i}.wav": [
                {"label": label, "start": float(start), "end": float(start + length)}
                for label in PITCHES
                for start in [50.0 * rng.integers(0, 50)]
                for length in [50.0 * rng.integers(10, 25)]
            ]
            for i in range(clips)
        }
    folder = write_task(
        parent,
        annotations,
        vocabulary=tuple(PITCHES),
        **{
            "task_name": "tones",
            "embedding_type": "event",
            "prediction_type": "multilabel",
            "split_mode": "trainvaltest",
            "splits": list(SPLITS),
            "nfolds": None,
            "sample_duration": float(SECONDS),
            "evaluation": list(scores),
        }
        | metadata,
    )
    times = np.arange(SECONDS * RATE) / RATE
    for split, clips in annotations.items():
        for name, events in clips.items():
            clip = rng.normal(scale=1e-3, size=times.size)
            for event in events:
                heard = (times >= event["start"] / 1000) & (times < event["end"] / 1000)
                clip += 0.3 * heard * np.sin(2 * np.pi * PITCHES[event["label"]] * times)
            soundfile.write(folder / str(RATE) / split / name, clip, RATE)
    return read_task(folder)


def run(random, task, folder, seeds=2):
    return evaluate(
        ToneModel(random), task, folder / "results", folder / "cache", "fast", seeds, progress=False
    )


@needs_sed_eval
def test_tones_are_found_and_noise_says_nothing(tmp_path):
    task = write_tones(tmp_path)
    tones, noise = (run(random, task, tmp_path) for random in (False, True))
    assert tones.mean > 95 and noise.mean < 30
    assert tones.metric == "event_onset_200ms_fms"
    fold = tones.probe["seeds"][0]["folds"][0]
    assert set(fold["scores"]) == set(SCORES)
    assert fold["scores"]["segment_1s_er"] < 0.2
    assert fold["chosen"]["min_duration_ms"] in (125.0, 250.0)
    # Less is better in the error rate, which decides nothing.
    assert noise.probe["scores"]["segment_1s_er"]["mean"] > 0.5
    overall = {row.model: row.overall.mean for row in ScoreTable.of([tones, noise]).rows}
    assert overall == pytest.approx({"tones": 100.0, "random": 0.0})


@needs_sed_eval
def test_a_result_is_of_its_events(tmp_path):
    task = write_tones(tmp_path)
    result = run(True, task, tmp_path, seeds=1)
    assert run(True, task, tmp_path, seeds=1) == result
    # By less than a frame: the same labels of frames, but other onsets.
    file = task.folder / "test.json"
    annotations = json.loads(file.read_text())
    next(iter(annotations.values()))[0]["start"] -= 10
    file.write_text(json.dumps(annotations))
    other = run(True, read_task(task.folder), tmp_path, seeds=1)
    assert other.inputs_digest != result.inputs_digest
    assert other.task_digest != result.task_digest


def test_what_cannot_be_measured_is_refused_before_any_work(tmp_path, monkeypatch):
    task = write_tones(tmp_path / "a", ("segment_1s_er", "event_onset_200ms_fms"))
    with pytest.raises(ValueError, match="first score is an F-measure.*segment_1s_er"):
        run(False, task, tmp_path)
    task = write_tones(tmp_path / "b", prediction_type="multiclass")
    with pytest.raises(ValueError, match="expected a multilabel event task.*multiclass"):
        run(False, task, tmp_path)
    task = write_tones(tmp_path / "d")
    (task.folder / "test.json").write_text('{"test0.wav": []}')
    with pytest.raises(ValueError, match="expected events in the split test"):
        run(False, read_task(task.folder), tmp_path)
    require_sed_eval.cache_clear()
    # What Python takes as "not installed".
    monkeypatch.setitem(sys.modules, "sed_eval", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-axlstm\[events\]'"):
        run(False, write_tones(tmp_path / "c"), tmp_path)
    assert not (tmp_path / "cache").exists() and not (tmp_path / "results").exists()
