"""A run as a whole: what it writes, that it goes on exactly, what stops it."""

import errno
import os

import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder, MaskedSpectrogramModel
from keras_axlstm.training.callbacks.history_log import read_history
from keras_axlstm.training.checkpoints import Checkpoints
from keras_axlstm.training.tracked_batches import _TrackedIterator
from tests.training.runs import assert_same_run, crash_after, pretrain_small, weights


class Crash(Exception):
    """What a test stops a run with."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed") / "preset"
    pretrain_small(output)
    return output


def unfinished(output, step, **options):
    """A run that stopped after a step."""
    with crash_after(step, Crash()), pytest.raises(Crash):
        pretrain_small(output, **options)


def checkpoint_files(output):
    return sorted(path.name for path in (output / "unfinished" / "checkpoints").iterdir())


def test_the_log_has_a_line_for_every_row(undisturbed):
    history = read_history(undisturbed / "history.csv")
    assert list(history[0]) == [
        "step",
        "epoch",
        "loss",
        "reconstruction_mse",
        "learning_rate",
        "samples_per_second",
    ]
    assert [line["step"] for line in history] == list(range(1, 9))
    assert history[5]["epoch"] == 1  # 6 steps of 2 clips, of 12
    middle = 1e-3 * 0.5 * (1 + np.cos(np.pi * 2 / 7))  # after a warm-up of 1 step
    assert history[3]["learning_rate"] == pytest.approx(middle, rel=1e-5)
    assert all(line["samples_per_second"] > 0 for line in history)


def test_a_preset_and_its_history_are_left(undisturbed):
    assert sorted(path.name for path in undisturbed.iterdir()) == [
        "audio_converter.json",
        "config.json",
        "history.csv",
        "masked_spectrogram_model.json",
        "masked_spectrogram_model.npz",
        "metadata.json",
        "model.weights.h5",
        "pretrain.toml",
    ]
    assert MaskedSpectrogramModel.from_preset(undisturbed).encoder.hidden_dim == 16


def test_a_preset_has_the_dynamic_range_of_its_training(tmp_path, undisturbed):
    pretrain_small(tmp_path / "preset", dynamic_range=20.0)
    limited, plain = (
        AudioEmbedder.from_preset(folder) for folder in (tmp_path / "preset", undisturbed)
    )
    assert (limited.dynamic_range, plain.dynamic_range) == (20.0, None)
    losses = [
        read_history(folder / "history.csv")[0]["loss"]
        for folder in (tmp_path / "preset", undisturbed)
    ]
    assert abs(losses[0] - losses[1]) > 1e-3 * losses[1]


def test_accumulation_and_loss_scaling_go_on_exactly(tmp_path):
    options = {"gradient_accumulation": 2, "precision": "mixed_float16", "log_every": 3}
    pretrain_small(tmp_path / "a", **options)
    unfinished(tmp_path / "b", 6, **options)
    assert checkpoint_files(tmp_path / "b") == ["step-000000003.npz"]
    pretrain_small(tmp_path / "b", resume=True, **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    assert [line["step"] for line in read_history(tmp_path / "a" / "history.csv")] == [3, 6, 8]


@pytest.mark.parametrize("step", [4, 8])
def test_a_run_goes_on_exactly(tmp_path, undisturbed, step):
    output = tmp_path / "preset"
    unfinished(output, step)
    assert checkpoint_files(output)[-1] == f"step-{step - 2:09d}.npz"
    pretrain_small(output, resume=True)
    assert_same_run(undisturbed, output)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, undisturbed):
    output = tmp_path / "preset"
    unfinished(output, 5)
    newest = output / "unfinished" / "checkpoints" / "step-000000004.npz"
    newest.write_bytes(newest.read_bytes()[:-1000])
    with pytest.warns(UserWarning, match="CANNOT BE READ, going on from step 2"):
        pretrain_small(output, resume=True)
    assert_same_run(undisturbed, output)


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path, undisturbed, monkeypatch):
    output = tmp_path / "preset"
    savez = np.savez
    calls = []

    def full(file, **arrays):
        calls.append(file)
        if len(calls) == 3:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        savez(file, **arrays)

    monkeypatch.setattr("keras_axlstm.training.checkpoints.np.savez", full)
    with pytest.raises(OSError, match=r"No space left on device.*step 4 is kept"):
        pretrain_small(output)
    monkeypatch.undo()
    assert checkpoint_files(output) == ["step-000000002.npz", "step-000000004.npz"]
    pretrain_small(output, resume=True)
    assert_same_run(undisturbed, output)


def test_an_error_before_the_first_checkpoint_leaves_nothing(tmp_path):
    unfinished(tmp_path / "preset", 1)
    assert list(tmp_path.iterdir()) == []


def test_resume_and_overwrite_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match="give one of them"):
        pretrain_small(tmp_path / "preset", resume=True, overwrite=True)


def test_a_loss_that_is_not_finite_stops_and_the_checkpoint_stays(tmp_path, monkeypatch):
    next_batch = _TrackedIterator.__next__

    def poisoned(self):
        batch = next_batch(self)
        return batch * np.float32("nan") if self._count == 6 else batch

    monkeypatch.setattr(_TrackedIterator, "__next__", poisoned)
    message = r"loss became nan at step 6. The checkpoint of step 4 is kept.*--learning-rate"
    with pytest.raises(ValueError, match=message):
        pretrain_small(tmp_path / "preset", log_every=4)
    checkpoints = Checkpoints(tmp_path / "preset" / "unfinished" / "checkpoints", keep=2)
    arrays = checkpoints.newest_readable().arrays.values()
    assert all(np.isfinite(array).all() for array in arrays)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    options = {"learning_rate": 1e38, "warmup": 0, "weight_decay": 1e38, "checkpoint_every": 1}
    with pytest.raises(ValueError, match=r"(A weight|The loss) became \S+.* at step [12]\."):
        pretrain_small(tmp_path / "preset", **options)


def test_pictures_and_tensorboard_change_nothing(tmp_path, undisturbed):
    output = tmp_path / "preset"
    pretrain_small(output, picture_every=1, tensorboard=True)
    np.testing.assert_equal(weights(output), weights(undisturbed))
    names = sorted(path.name for path in (output / "pictures").iterdir())
    assert names == ["step-000000006.png", "step-000000008.png"]
    assert (output / "pictures" / names[0]).read_bytes().startswith(b"\x89PNG")
    assert tensorboard_steps(output / "tensorboard", "loss") == set(range(1, 9))


def tensorboard_steps(folder, tag):
    from tensorboardX.proto.event_pb2 import Event

    steps = set()
    for path in folder.iterdir():
        content = path.read_bytes()
        while content:  # length, its checksum, the event, its checksum
            size = int.from_bytes(content[:8], "little")
            event = Event.FromString(content[12 : 12 + size])
            steps |= {event.step for value in event.summary.value if value.tag == tag}
            content = content[16 + size :]
    return steps
