import pickle
import tarfile
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from keras_axlstm.audio import AudioFileError, log_mel_spectrogram, read_audio
from keras_axlstm.data import clip_source, random_crops
from keras_axlstm.data.unreadable_files import UnreadableFiles

pytestmark = pytest.mark.any_backend


@pytest.fixture
def audio(tmp_path):
    """Two seconds each of a rising and a falling tone."""
    folder = tmp_path / "audio"
    folder.mkdir()
    ramp = np.linspace(0.1, 0.9, 32000) * np.sin(np.arange(32000) / 4)
    soundfile.write(folder / "up.wav", ramp, 16000)
    soundfile.write(folder / "down.flac", ramp[::-1], 16000)
    return folder


def frames(source, index: int) -> np.ndarray:
    clip = source[index]
    return clip.read(0, clip.num_frames)


def log_mel(path: Path, *segment) -> np.ndarray:
    return log_mel_spectrogram(read_audio(path, 16000, *segment))


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, BytesIO(data))
    return path


def npy(array) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


# === Audio and manifests ===


def test_a_folder(audio):
    source = clip_source(audio)
    assert [source.name(i).name for i in range(len(source))] == ["down.flac", "up.wav"]
    np.testing.assert_array_equal(frames(source, 0), log_mel(audio / "down.flac"))
    assert source.metadata(0) == {} and clip_source(source) is source


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_manifest(audio, kind):
    columns = {
        "path": ["audio/up.wav", "audio/up.wav", str(audio / "down.flac")],
        "label": ["a", "b", "c"],
        "start": [0.5, None, None],
        "end": [1.25, 1.0, None],
        "split": ["train", "train", "test"],
    }
    manifest = audio.parent / f"clips.{kind}"
    table = pyarrow.table(columns)
    if kind == "parquet":
        pyarrow.parquet.write_table(table, manifest)
    else:
        rows = zip(*columns.values(), strict=True)
        lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
        manifest.write_text("\n".join([",".join(columns), *lines]) + "\n")
    source = clip_source(manifest)
    assert len(source) == 3
    np.testing.assert_array_equal(frames(source, 0), log_mel(audio / "up.wav", 0.5, 1.25))
    np.testing.assert_array_equal(frames(source, 1), log_mel(audio / "up.wav", 0.0, 1.0))
    np.testing.assert_array_equal(frames(source, 2), log_mel(audio / "down.flac"))
    assert source.metadata(1) == {"label": "b", "split": "train"}
    assert source.name(0) == f"{audio / 'up.wav'} (0.5 s to 1.25 s)"
    assert next(iter(random_crops(manifest, batch_size=3, num_frames=9))).shape == (3, 9, 80)


def test_a_manifest_of_paths_alone(audio):
    manifest = audio / "clips.csv"
    manifest.write_text("﻿path\nup.wav\n\n", encoding="utf-8")
    assert clip_source(manifest).name(0) == str(audio / "up.wav")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.wav,b\n", "Expected a column `path` in .*. Found: file, label"),
        ("", "Expected a column `path` in .*. Found: no columns"),
        ("path\n", "Expected at least one row"),
        ("path,label\na.wav,b\n,c\n", "row 2: expected a path. Received: ''"),
        ("path,label\na.wav\n", "row 1: expected 2 values, as in the header. Received: 1"),
        ("path,start\na.wav,x\n", "row 1: expected 0 <= start < end .* Received: start='x'"),
        ("path,start,end\na.wav,2,2\n", "row 1: expected 0 <= start < end"),
        ("path,start\na.wav,-1\n", "row 1: expected 0 <= start < end"),
        ("path,end\na.wav,nan\n", "row 1: expected 0 <= start < end"),
    ],
)
def test_bad_manifests(tmp_path, text, message):
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        clip_source(tmp_path / "clips.csv")


def test_manifests_that_are_none(tmp_path):
    (tmp_path / "clips.parquet").write_text("no")
    with pytest.raises(ValueError, match="Expected a Parquet file"):
        clip_source(tmp_path / "clips.parquet")
    with pytest.raises(ValueError, match="a path that is no file, .*nowhere.csv"):
        clip_source(tmp_path / "nowhere.csv")


def test_a_segment_beyond_the_end(audio):
    (audio / "clips.csv").write_text("path,start,end\nup.wav,1.5,9\nup.wav,2.5,3\n")
    source = clip_source(audio / "clips.csv")
    np.testing.assert_array_equal(frames(source, 0), log_mel(audio / "up.wav", 1.5))
    with pytest.raises(
        AudioFileError, match=r"up.wav \(2.5 s to 3 s\): it has no samples from 2.5"
    ):
        source[1]


# === Tars ===


def test_tars_in_the_authors_layout(tmp_path):
    arrays = [np.random.default_rng(i).normal(size=(50 + i, 80)).astype("float32") for i in (0, 1)]
    labels = pickle.dumps(np.array([3, 500]))
    tars = [
        write_tar(
            tmp_path / "a.tar",
            {
                "train/x.data.pyd": pickle.dumps(arrays[0]),
                "train/x.target.pyd": labels,
                "train/x.json": b"{}",
                "notes": b"hello",
                "only.target.pyd": labels,
            },
        ),
        write_tar(tmp_path / "b.tar", {"y.npy": npy(arrays[1].astype("float64"))}),
    ]
    for source in (clip_source(tmp_path), clip_source(tars), clip_source(map(str, tars))):
        assert len(source) == 2
        for i in (0, 1):
            np.testing.assert_allclose(frames(source, i), arrays[i])
            assert source[i].mean == pytest.approx(arrays[i].mean(dtype="float64"))
            assert source[i].std == pytest.approx(arrays[i].std(dtype="float64"))
        assert source.name(0) == f"{tars[0]}/train/x"
        assert source.metadata(0) == {"label": [3, 500]} and source.metadata(1) == {}
    assert len(clip_source(tars[0])) == 1
    crops = next(iter(random_crops(tmp_path, batch_size=2, num_frames=200, seed=1)))
    assert crops.shape == (2, 200, 80)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_pickles_of_every_protocol(tmp_path, protocol):
    array = np.random.default_rng(0).normal(size=(3, 80)).astype("float16")
    tar = write_tar(tmp_path / "a.tar", {"x.data.pyd": pickle.dumps(array, protocol)})
    np.testing.assert_array_equal(frames(clip_source(tar), 0), array)


class Evil:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Evil()), "refused: it names builtins.print"),
        (pickle.dumps(np.array([Evil()], object)), "refused: it names builtins.print"),
        (pickle.dumps(np.array([None], object)), "expected an array, found a ndarray"),
        (pickle.dumps({}), "expected an array, found a dict"),
        (b"", "neither a NumPy nor a pickled array"),
        (npy(np.zeros((5, 80), "float32"))[:-1], "it is damaged"),
        (npy(np.zeros((80, 5), "float32")), r"\(frames, 80\), found an array of shape \(80, 5\)"),
        (npy(np.zeros((0, 80), "float32")), r"found an array of shape \(0, 80\)"),
        (npy(np.zeros((5, 80), "int16")), "found int16 with no fraction"),
        (npy(np.full((5, 80), np.nan, "float32")), "found float32 with NaN or infinity"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, capsys, data, message):
    source = clip_source(write_tar(tmp_path / "a.tar", {"x.data.pyd": data}))
    with pytest.raises(AudioFileError, match=message):
        source[0]
    assert capsys.readouterr().out == ""


def test_a_tar_that_was_cut_off(tmp_path):
    array = np.ones((50, 80), "float32")
    tar = write_tar(tmp_path / "a.tar", {f"{i}.npy": npy(array) for i in range(3)})
    tar.write_bytes(tar.read_bytes()[:40000])
    source = clip_source(tar)
    np.testing.assert_array_equal(frames(source, 1), array)
    with pytest.raises(AudioFileError, match="a.tar/2: it is damaged: only .* bytes are there"):
        source[2]


def test_files_that_are_no_tars(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no" * 600)
    with pytest.raises(ValueError, match="Expected an uncompressed tar file. Received: .*a.tar"):
        clip_source(tmp_path / "a.tar")
    write_tar(tmp_path / "a.tar", {"x.flac": b""})
    with pytest.raises(ValueError, match="Expected members <key>.data.pyd or <key>.npy"):
        clip_source(tmp_path)
    with pytest.raises(ValueError, match="Expected paths of audio files or of .tar files"):
        clip_source([tmp_path / "a.tar", tmp_path / "b.wav"])


# === Reports ===


def test_unreadable_headers(audio):
    (audio / "empty.wav").touch()
    paths = [audio / "up.wav", audio / "empty.wav", audio / "missing.wav"]
    errors = clip_source(paths).find_unreadable()
    assert [error.path for error in errors] == paths[1:]
    assert "it is empty" in str(errors[0]) and "does not exist" in str(errors[1])


def test_a_clip_is_reported_once():
    report: list = []
    unreadable = UnreadableFiles(2, report)
    error = AudioFileError("a.wav", "it is damaged.")
    with pytest.warns(UserWarning, match="1 of 2 clips cannot be read and are skipped"):
        unreadable.add([error])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unreadable.add([error])
    assert report == [("a.wav", str(error))]


def test_many_reasons_are_shortened():
    errors = [AudioFileError(f"{i}.wav", "bad.") for i in range(25)]
    with pytest.warns(UserWarning, match=r"9\.wav.*\n\.\.\. and 15 more"):
        UnreadableFiles(99, []).add(errors)
    with pytest.raises(ValueError, match="None of the 25 clips can be read.\n"):
        UnreadableFiles(25, []).add(errors, none_left=True)
