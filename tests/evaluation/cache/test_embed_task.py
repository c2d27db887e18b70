"""Cached embeddings: computed once, in order, whatever happened before."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
import soundfile
from hypothesis import strategies as st

from keras_axlstm.evaluation.cache import embed_task
from keras_axlstm.evaluation.models import EvaluationModel

ROOT = Path(__file__).parents[3]


class LoudnessModel(EvaluationModel):
    """The number of samples and their sum; frames are of 100 samples. It counts its clips."""

    def __init__(self, identity="loudness"):
        super().__init__("loudness", identity, embedding_dim=2, frame_dim=100)
        self.batches = []

    def _scenes(self, clips):
        self.batches.append([clip.size for clip in clips])
        return np.array([[clip.size, clip.sum()] for clip in clips])

    def _timestamps(self, clips):
        self.batches.append([clip.size for clip in clips])
        frames = [clip[: clip.size // 100 * 100].reshape(-1, 100) for clip in clips]
        return [(clip, 6.25 * np.arange(len(clip))) for clip in frames]

    @property
    def computed(self):
        return sum(map(len, self.batches))


def new_task(embedding_type="scene", **splits):
    clips = {
        split: tuple(SimpleNamespace(path=Path(path)) for path in paths)
        for split, paths in splits.items()
    }
    return SimpleNamespace(name="task", embedding_type=embedding_type, splits=clips)


def write(path, samples, seed=0):
    waveform = np.random.default_rng(seed).uniform(-1, 1, samples).astype("float32")
    soundfile.write(path, waveform, 16000, subtype="FLOAT")
    return path, waveform


@pytest.fixture
def files(tmp_path):
    """Seven clips of different lengths, and their waveforms."""
    folder = tmp_path / "audio"
    folder.mkdir()
    return dict(write(folder / f"{i}.wav", 1000 - 100 * i, i) for i in range(7))


def expected_scenes(paths, files):
    return np.array([[files[path].size, files[path].sum()] for path in paths], "float32")


def run(model, task, folder, **arguments):
    return embed_task(model, task, folder, progress=False, **arguments)


def test_scenes_come_in_order_and_are_computed_once(files, tmp_path):
    paths = list(files)
    task = new_task(train=paths[:4], test=paths[2:][::-1])
    model = LoudnessModel()
    result = run(model, task, tmp_path / "cache", batch_size=3)
    for split, chosen in (("train", paths[:4]), ("test", paths[2:][::-1])):
        assert result[split].dtype == np.float32
        np.testing.assert_allclose(result[split], expected_scenes(chosen, files), rtol=1e-4)
    # Clips of like length together, each once.
    assert model.batches == [[400, 500, 600], [700, 800, 900], [1000]]
    again = run(model, task, tmp_path / "cache")
    assert model.computed == 7
    np.testing.assert_array_equal(again["train"], result["train"])


def test_the_content_counts_and_not_the_name(files, tmp_path):
    paths = list(files)
    model = LoudnessModel()
    run(model, new_task(train=paths), tmp_path)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(paths[0].read_bytes())
    moved = run(model, new_task(test=[copy]), tmp_path)["test"]
    assert model.computed == 7
    np.testing.assert_allclose(moved, expected_scenes(paths[:1], files), rtol=1e-4)
    write(copy, 50)
    assert run(model, new_task(test=[copy]), tmp_path)["test"][0, 0] == 50
    other = LoudnessModel("other")
    run(other, new_task(train=paths), tmp_path)
    assert (model.computed, other.computed) == (8, 7)


def test_frames_of_event_tasks(files, tmp_path):
    paths = list(files)
    model = LoudnessModel()
    for _ in range(2):
        result = run(model, new_task("event", train=paths), tmp_path)["train"]
        for path, (frames, times_ms) in zip(paths, result, strict=True):
            np.testing.assert_array_equal(frames, files[path].reshape(-1, 100))
            np.testing.assert_array_equal(times_ms, 6.25 * np.arange(len(frames)))
    assert model.computed == 7
    # Scenes are apart from them.
    run(model, new_task(train=paths), tmp_path)
    assert model.computed == 14


@hypothesis.given(st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=1, max_size=3))
@hypothesis.settings(max_examples=25)
def test_any_splits_come_back_as_they_were(tmp_path_factory, splits):
    folder = tmp_path_factory.mktemp("any")
    files = dict(write(folder / f"{i}.wav", 10 + i % 3, i) for i in range(6))
    paths = list(files)
    chosen = {f"fold{i}": [paths[j] for j in split] for i, split in enumerate(splits) if split}
    model = LoudnessModel()
    for _ in range(2):
        result = run(model, new_task(**chosen), folder, batch_size=2)
        assert list(result) == list(chosen)
        for split, clips in chosen.items():
            np.testing.assert_allclose(result[split], expected_scenes(clips, files), rtol=1e-4)
    assert model.computed == len({path for clips in chosen.values() for path in clips})


def database(folder):
    (path,) = folder.glob("*.sqlite")
    return path


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE embeddings SET frames = x'0000000000000000' WHERE rowid = 3",
        "UPDATE embeddings SET frames = x'00' WHERE rowid = 3",
        "UPDATE embeddings SET rows = 2 WHERE rowid = 3",
        "UPDATE embeddings SET frames = 'text' WHERE rowid = 3",
        "DELETE FROM embeddings WHERE rowid = 3",
    ],
)
def test_damaged_entries_are_computed_again(files, tmp_path, damage):
    model, task = LoudnessModel(), new_task(train=files)
    before = run(model, task, tmp_path)["train"]
    with closing(sqlite3.connect(database(tmp_path))) as connection, connection:
        assert connection.execute(damage).rowcount == 1
    for _ in range(2):
        np.testing.assert_array_equal(run(model, task, tmp_path)["train"], before)
    assert model.computed == 8


def cut(data):
    return data[: len(data) // 2]


def overwrite(data):
    middle = len(data) // 3
    return data[:middle] + bytes(len(data) - middle)


@pytest.mark.parametrize("damage", [cut, overwrite, lambda data: b"no database at all" * 99])
def test_a_damaged_file_is_put_aside(files, tmp_path, damage):
    model, task = LoudnessModel(), new_task(train=files)
    before = run(model, task, tmp_path)["train"]
    path = database(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"damaged.*computed again.*\.damaged"):
        again = run(model, task, tmp_path)["train"]
    np.testing.assert_array_equal(again, before)
    computed = model.computed
    assert computed > 7 and path.with_suffix(".damaged").exists()
    np.testing.assert_array_equal(run(model, task, tmp_path)["train"], before)
    assert model.computed == computed


KILLED = """
import os, signal, sys
from tests.evaluation.cache.test_embed_task import LoudnessModel, new_task, run

class Killed(LoudnessModel):
    def _scenes(self, clips):
        if self.computed == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._scenes(clips)

run(Killed(), new_task(train=sys.argv[2:]), sys.argv[1], batch_size=2)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_what_was_done_before_a_kill_is_not_done_again(files, tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "cache"), *map(str, files)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr
    model = LoudnessModel()
    result = run(model, new_task(train=files), tmp_path / "cache")
    assert model.computed == 3
    np.testing.assert_allclose(result["train"], expected_scenes(files, files), rtol=1e-4)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_computed(files, tmp_path):
    model = LoudnessModel()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="The folder for cached embeddings .*file must be one"):
        run(model, new_task(train=files), tmp_path / "file")
    run(model, new_task(train=list(files)[:1]), tmp_path)
    path = database(tmp_path)
    path.rename(tmp_path / "moved")
    path.mkdir()
    with pytest.raises(OSError, match="must be one that can be written"):
        run(model, new_task(train=files), tmp_path)
    assert model.computed == 1


def test_embeddings_that_are_not_finite_name_the_file(files, tmp_path):
    class Broken(LoudnessModel):
        def _scenes(self, clips):
            scenes = super()._scenes(clips)
            scenes[[clip.size == 800 for clip in clips], 1] = np.nan
            return scenes

    with pytest.raises(ValueError, match=r"of loudness must be finite.*1 of 2 values.*2\.wav"):
        run(Broken(), new_task(train=files), tmp_path)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True])
def test_a_bad_batch_size_is_refused(files, tmp_path, batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        run(LoudnessModel(), new_task(train=files), tmp_path / "cache", batch_size=batch_size)
    assert not (tmp_path / "cache").exists()
