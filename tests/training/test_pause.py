"""Runs in pieces: they end with the weights of one piece."""

import shutil

import pytest

from tests.training.runs import EXAMPLES, assert_same_run, pretrain_small, weights

# Less than the first row takes: each piece is one row.
SOON = 1e-9


def test_two_pieces_are_one(tmp_path):
    pretrain_small(tmp_path / "one", log_every=4, checkpoint_every=100)
    pieces = tmp_path / "pieces"
    result = pretrain_small(pieces, log_every=4, checkpoint_every=100, minutes=SOON)
    assert not result.finished and [row["step"] for row in result.history] == [4]
    assert [path.name for path in pieces.iterdir()] == ["unfinished"]
    # On another machine, with the data at another place.
    shutil.copytree(EXAMPLES, tmp_path / "audio")
    moved = tmp_path / "moved"
    shutil.copytree(pieces, moved)
    options = {"log_every": 4, "checkpoint_every": 100, "source": tmp_path / "audio"}
    result = pretrain_small(moved, resume=True, minutes=60, **options)
    assert result.finished and [row["step"] for row in result.history] == [4, 8]
    assert_same_run(tmp_path / "one", moved)


def test_a_pause_at_the_last_row_is_the_end(tmp_path):
    result = pretrain_small(tmp_path / "preset", steps=2, log_every=2, minutes=SOON)
    assert result.finished and (tmp_path / "preset" / "config.json").exists()


def test_a_run_goes_on_with_other_data_only_if_told_so(tmp_path):
    output = tmp_path / "preset"
    (tmp_path / "audio").mkdir()
    for clip in sorted(EXAMPLES.glob("*.wav"))[:4]:
        shutil.copy(clip, tmp_path / "audio")
    pretrain_small(output, log_every=4, minutes=SOON)
    options = {"log_every": 4, "source": tmp_path / "audio", "resume": True}
    with pytest.raises(ValueError, match="12 clips, and there are 4 now.*other_data=True"):
        pretrain_small(output, **options)
    result = pretrain_small(output, other_data=True, **options)
    assert result.finished and result.clips == 4 and weights(output)


@pytest.mark.parametrize("minutes", [0, -1.0])
def test_minutes_must_be_positive(tmp_path, minutes):
    with pytest.raises(ValueError, match="`minutes` must be positive"):
        pretrain_small(tmp_path / "preset", minutes=minutes)
    assert not (tmp_path / "preset").exists()
