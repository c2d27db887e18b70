"""`prepare`, the shards it makes, and reading them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import log_mel_spectrogram, read_audio
from keras_axlstm.data import clip_source, prepare, random_crops
from keras_axlstm.data.prepare.shard_job import ShardJob
from tests.support.corrupt_audio import write_corrupt_audio

pytestmark = pytest.mark.any_backend

LENGTHS = (8000, 12345, 1600, 100, 20000, 9999, 16000)
LAYOUTS = ("flat", "array_record")


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    rng = np.random.default_rng(0)
    for i, length in enumerate(LENGTHS):
        envelope = np.linspace(0.1, 0.9, length) * 10.0 ** -(i % 3)
        soundfile.write(folder / f"{i}.wav", rng.uniform(-1, 1, length) * envelope, 16000)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def take(dataset, count: int) -> np.ndarray:
    iterator = iter(dataset)
    return np.stack([next(iterator) for _ in range(count)])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_in_the_shards(audio, tmp_path, layout):
    prepared = prepare(audio, tmp_path / "out", layout=layout, clips_per_shard=3)
    expected = [
        log_mel_spectrogram(read_audio(audio / f"{i}.wav")).astype("float16")
        for i in range(len(LENGTHS))
    ]
    source = clip_source(prepared.folder)
    assert len(source) == prepared.clips == len(LENGTHS) and prepared.skipped == []
    for i, log_mel in enumerate(expected):
        clip = source[i]
        np.testing.assert_array_equal(clip.read(0, clip.num_frames), log_mel)
        np.testing.assert_array_equal(clip.read(1, clip.num_frames), log_mel[1:])
        assert clip.mean == pytest.approx(log_mel.mean(dtype="float64"), abs=1e-12)
        assert clip.std == pytest.approx(log_mel.std(dtype="float64"), abs=1e-12)
        assert source.name(i) == str(audio / f"{i}.wav")
    values = np.concatenate(expected).astype("float64")
    assert prepared.mean == pytest.approx(values.mean(), abs=1e-12)
    assert prepared.std == pytest.approx(values.std(), abs=1e-12)
    assert prepared.hours == pytest.approx(sum(LENGTHS) / 16000 / 3600, rel=0.01)
    assert sorted(path.name.partition(".")[0] for path in prepared.folder.glob("shard*")) == [
        f"shard-0000{i}-of-00003" for i in range(3) for _ in range(2)
    ]
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


def test_a_flat_shard_is_a_plain_numpy_file(audio, tmp_path):
    prepare(audio, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.npy")
    frames = np.load(file, mmap_mode="r")
    assert frames.dtype == np.float16
    assert frames.shape == (sum(length // 160 + 1 for length in LENGTHS), 80)


@pytest.mark.parametrize("normalization", ["clip", "none", "dataset"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_crops_as_from_audio(audio, tmp_path, layout, normalization):
    prepared = prepare(audio, tmp_path / "out", layout=layout, clips_per_shard=3)
    arguments = {"batch_size": 5, "num_frames": 60, "seed": 4, "normalization": normalization}
    statistics = {"mean": prepared.mean, "std": prepared.std}
    crops = take(random_crops(audio, **arguments, **statistics), 4)
    source = clip_source(prepared.folder)
    source[0].read(0, 1)
    # The statistics of the data set come with the shards. A worker process gets a pickled copy.
    from_shards = take(random_crops(pickle.loads(pickle.dumps(source)), **arguments), 4)
    np.testing.assert_allclose(from_shards, crops, atol=0.01)


def test_a_silent_clip_stays_finite(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(32000), 16000)
    prepare([tmp_path / "silence.wav"], tmp_path / "out")
    crops = take(random_crops(tmp_path / "out", batch_size=1), 1)
    np.testing.assert_allclose(crops, 0, atol=1e-3)


def test_processes_make_the_same_bytes(audio, tmp_path):
    prepare(audio, tmp_path / "one", clips_per_shard=2)
    prepare(audio, tmp_path / "two", clips_per_shard=2, processes=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_metadata_is_kept(audio, tmp_path):
    manifest = tmp_path / "clips.csv"
    manifest.write_text(f"path,label,end\n{audio}/1.wav,Hund für,0.1\n{audio}/0.wav,cat,\n")
    prepare(manifest, tmp_path / "out")
    source = pickle.loads(pickle.dumps(clip_source(tmp_path / "out")))
    assert source.metadata(0) == {"label": "Hund für"}
    assert source.metadata(1) == {"label": "cat"}
    assert source.name(0).endswith("1.wav (0 s to 0.1 s)")
    # Shards are a source too: here to change the layout.
    prepare(tmp_path / "out", tmp_path / "records", layout="array_record")
    assert clip_source(tmp_path / "records").metadata(1) == {"label": "cat"}


# === Interruption and existing output ===


class Stop(BaseException):
    """An interruption that nothing catches."""


def interrupt(monkeypatch, *arguments, after: int, **keywords):
    write = ShardJob.write

    def write_some(self, number):
        if number == after:
            # As far as a killed process may have come.
            (self.folder / ".unfinished-1-shard").touch()
            self.files(number)[0].touch()
            raise Stop
        return write(self, number)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(ShardJob, "write", write_some)
        prepare(*arguments, **keywords)


def test_going_on_after_an_interruption(audio, tmp_path, monkeypatch):
    prepare(audio, tmp_path / "expected", clips_per_shard=2)
    interrupt(monkeypatch, audio, tmp_path / "out", clips_per_shard=2, after=2)
    assert not (tmp_path / "out").exists()
    work = tmp_path / ".preparing-out"
    finished = {path.name: path.stat().st_mtime_ns for path in work.glob("shard-0000[01]*")}
    assert len(finished) == 4
    prepare(audio, tmp_path / "out", clips_per_shard=2)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")
    assert not work.exists()
    assert finished == {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in finished}


def test_other_arguments_do_not_mix_with_an_interrupted_run(audio, tmp_path, monkeypatch):
    interrupt(monkeypatch, audio, tmp_path / "out", clips_per_shard=2, after=1)
    with pytest.raises(ValueError, match="interrupted run with another log_mel. Give the same"):
        prepare(audio, tmp_path / "out", clips_per_shard=2, num_mel_bins=40)
    with pytest.raises(ValueError, match="interrupted run with another source"):
        prepare([audio / "0.wav", audio / "1.wav"], tmp_path / "out", clips_per_shard=2)


def test_existing_output(audio, tmp_path, monkeypatch):
    prepare(audio, tmp_path / "out", clips_per_shard=2)
    before = contents(tmp_path / "out")
    with pytest.raises(FileExistsError, match="out exists already.*--overwrite"):
        prepare(audio, tmp_path / "out")
    # Until the new one is done the old one is there.
    interrupt(monkeypatch, audio, tmp_path / "out", overwrite=True, after=0)
    assert contents(tmp_path / "out") == before
    prepare(audio, tmp_path / "out", overwrite=True)
    assert len(list((tmp_path / "out").glob("*.npy"))) == 1


def test_nothing_else_is_overwritten(audio, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="not made by `prepare`"):
        prepare(audio, tmp_path / "out", overwrite=True)
    prepare(audio, tmp_path / "mixed")
    (tmp_path / "mixed" / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="holds other files: thesis.txt"):
        prepare(audio, tmp_path / "mixed", overwrite=True)
    (tmp_path / ".preparing-new").mkdir()
    (tmp_path / ".preparing-new" / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="needed for the work but holds other files"):
        prepare(audio, tmp_path / "new")


# === Bad input ===


def test_corrupt_files(tmp_path):
    folder = tmp_path / "audio"
    readable, unreadable = write_corrupt_audio(folder, good=12)
    prepared = prepare(folder, tmp_path / "out")
    source = clip_source(tmp_path / "out")
    assert [Path(source.name(i)).name for i in range(len(source))] == readable
    assert {Path(path).name for path, _ in prepared.skipped} == set(unreadable)
    for path, reason in prepared.skipped:
        assert unreadable[Path(path).name] in reason
    lines = (tmp_path / "out" / "skipped.csv").read_text().splitlines()
    assert len(lines) == 1 + len(unreadable)

    skipped: list = []
    with pytest.warns(UserWarning, match="cannot be read and are skipped"):
        crops = take(random_crops(folder, batch_size=40, num_frames=9, skipped=skipped), 3)
    assert {path.name for path, _ in skipped} == set(unreadable)
    assert len(skipped) == len(unreadable) and np.isfinite(crops).all()
    crops = take(random_crops(tmp_path / "out", batch_size=40, num_frames=9), 3)
    assert np.isfinite(crops).all()


def test_nothing_readable(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(
        ValueError, match="None of the 1 clips can be read. First reason: .*0 bytes"
    ):
        prepare([tmp_path / "a.wav"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"processes": 0}, "`processes` must be an integer of at least 1. Received: 0"),
        ({"clips_per_shard": 0}, "`clips_per_shard` must be an integer of at least 1. Received: 0"),
        ({"layout": "zip"}, "`layout` must be one of flat, array_record. Received: 'zip'"),
        ({"hop_length": 0}, "`hop_length` must be a positive integer"),
        ({}, "a path that does not exist"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        prepare("no/such/folder", tmp_path / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_other_settings(audio, tmp_path):
    prepare(audio, tmp_path / "out")
    with pytest.raises(ValueError, match="num_mel_bins=80 there, 40 here"):
        random_crops(tmp_path / "out", batch_size=2, num_mel_bins=40)
    assert clip_source(tmp_path / "out", max_frequency=8000).num_bands == 80


@pytest.mark.parametrize(
    ("layout", "suffix"), [("flat", ".npy"), ("array_record", ".array_record")]
)
def test_lost_and_damaged_shards(audio, tmp_path, layout, suffix):
    prepare(audio, tmp_path / "out", layout=layout)
    (shard,) = (tmp_path / "out").glob(f"*{suffix}")
    (index,) = (tmp_path / "out").glob("*.npz")
    data = shard.read_bytes()
    if layout == "flat":
        shard.write_bytes(data[:-1])
        with pytest.raises(ValueError, match=r"shard-00000-of-00001.npy is damaged: expected"):
            clip_source(tmp_path / "out")
    shard.unlink()
    with pytest.raises(ValueError, match="Expected a prepared shard. Received: .*shard"):
        clip_source(tmp_path / "out")
    shard.write_bytes(data)
    index.write_bytes(b"")
    with pytest.raises(ValueError, match="Expected the index of a prepared shard"):
        clip_source(tmp_path / "out")


def test_a_folder_of_another_version(audio, tmp_path):
    prepare(audio, tmp_path / "out")
    file = tmp_path / "out" / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 2}))
    with pytest.raises(ValueError, match="version 1, .* version 2. Prepare it anew, or update"):
        clip_source(tmp_path / "out")
    file.write_text("{}")
    with pytest.raises(ValueError, match="Expected a folder made by `keras-axlstm prepare`"):
        clip_source(tmp_path / "out")
