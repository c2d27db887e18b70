"""Pretraining on a collection of which one file in a hundred cannot be read."""

from pathlib import Path

from tests.support.corrupt_audio import write_corrupt_audio
from tests.training.runs import pretrain_small


def test_an_epoch_finishes_and_reports_each(tmp_path):
    readable, unreadable = write_corrupt_audio(tmp_path / "audio", good=400)
    clips = len(readable) + len(unreadable)
    assert clips == 408
    options = {"batch_size": 51, "checkpoint_every": 8}
    result = pretrain_small(tmp_path / "preset", source=tmp_path / "audio", **options)
    assert result.clips == clips and result.history[-1]["step"] == 8
    skipped = {Path(path).name: reason for path, reason in result.skipped}
    assert skipped.keys() == unreadable.keys()
    assert all(unreadable[name] in reason for name, reason in skipped.items())
    assert (tmp_path / "preset" / "config.json").exists()
