"""Checkpoints: complete or absent, damaged ones found out, the earlier ones safe."""

import errno
import os
import resource
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.training.checkpoints import Checkpoint, Checkpoints

pytestmark = pytest.mark.any_backend


def checkpoint(step, size=100):
    rng = np.random.default_rng(step)
    arrays = {
        "model_0000": rng.normal(size=size).astype("float32"),
        "optimizer_0000": np.array(step, "int64"),
    }
    return Checkpoint(step, '{"next_index": 8}', {"log_bytes": 3}, arrays)


def assert_equal(received, expected):
    assert (received.step, received.data_state) == (expected.step, expected.data_state)
    assert received.facts == expected.facts
    assert received.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert received.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(received.arrays[name], array)


def test_what_is_saved_comes_back_and_the_newest_stay(tmp_path):
    checkpoints = Checkpoints(tmp_path / "new", keep=2)
    assert checkpoints.newest_readable() is None
    for step in (5, 10, 1000):
        checkpoints.save(checkpoint(step))
    assert checkpoints.steps() == [10, 1000]
    assert_equal(checkpoints.newest_readable(), checkpoint(1000))


@given(data=st.data())
def test_damage_never_passes_for_a_checkpoint(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("checkpoints")
    checkpoints = Checkpoints(folder, keep=2)
    checkpoints.save(checkpoint(1))
    checkpoints.save(checkpoint(2))
    path = folder / "step-000000002.npz"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans(), label="truncate"):
        del content[data.draw(st.integers(0, len(content) - 1), label="length") :]
    else:
        place = data.draw(st.integers(0, len(content) - 1), label="place")
        content[place] ^= data.draw(st.integers(1, 255), label="bits")
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        received = checkpoints.newest_readable()
    if received.step == 2:  # The byte was one of those that mean nothing, a date for example.
        assert_equal(received, checkpoint(2))
    else:
        assert_equal(received, checkpoint(1))
        assert "CANNOT BE READ, going on from step 1" in str(caught[-1].message)


def test_none_that_can_be_read_is_an_error(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (1, 2):
        (tmp_path / f"step-{step:09d}.npz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"None of the checkpoints can be read.*--overwrite.*0002"):
        checkpoints.newest_readable()


def test_another_format_is_not_read(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, keep=2)
    monkeypatch.setattr("keras_axlstm.training.checkpoints.FORMAT", 2)
    checkpoints.save(checkpoint(1))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="expected format 1 and step 1, received format 2"):
        checkpoints.newest_readable()


@pytest.fixture
def file_size_limit():
    """Files of this process cannot grow beyond 64 KiB: writing fails midway, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_write_that_fails_midway_loses_nothing(tmp_path, file_size_limit):
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(checkpoint(1))
    with pytest.raises(OSError, match=r"step 2 could not be written.*step 1 is kept.*--resume"):
        checkpoints.save(checkpoint(2, size=2**16))
    assert os.listdir(tmp_path) == ["step-000000001.npz"]
    assert_equal(checkpoints.newest_readable(), checkpoint(1))


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_at_any_point_loses_nothing(tmp_path, monkeypatch, function):
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(checkpoint(1))

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match="No space left on device") as error:
        checkpoints.save(checkpoint(2))
    assert error.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["step-000000001.npz"]


def test_what_a_crash_left_half_written_is_passed_over(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(checkpoint(1))
    (tmp_path / "step-000000002.unfinished").write_bytes(b"half")
    assert checkpoints.steps() == [1]
    checkpoints.save(checkpoint(2))
    assert sorted(os.listdir(tmp_path)) == ["step-000000001.npz", "step-000000002.npz"]
