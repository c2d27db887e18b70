"""Exported files give, each in its own runtime, the numbers of Keras."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_axlstm.audio import read_audio
from keras_axlstm.export import export_model
from keras_axlstm.export.formats import FORMATS
from keras_axlstm.models import AudioEmbedder
from keras_axlstm.recurrence.kernels import kernels_wanted
from tests.export.test_waveform_model import (
    TOLERANCE,
    small_classifier,
    small_encoder,
    waves,
)
from tests.support.runtimes import run_file

BACKEND = keras.backend.backend()
EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


def able(format: str) -> bool:
    return BACKEND in FORMATS[format].packages


def skip_unless_writable(format: str) -> None:
    for package in FORMATS[format].packages[BACKEND]:
        pytest.importorskip(package, reason=f"{package}, which writes {format}, is not installed")


def expected_output(model, kind, clips):
    if kind == "scores":
        return model.predict(clips, verbose=0)
    return model.embed(clips) if kind == "scene" else model.embed_timestamps(clips)[0]


# Reading in windows and whole, and each kind, with one format or another.
CASES = [
    ("saved_model", "timestamps", {"normalization": "none"}),
    ("onnx", "scene", {}),
    ("onnx", "scores", {}),
    ("litert", "timestamps", {"one_pass": True}),
    ("openvino", "scene", {"normalization": "dataset", "mean": -6.0, "std": 3.0}),
    ("torch", "scene", {}),
    ("torch", "scores", {}),
]


@pytest.mark.parametrize(
    ("format", "kind", "options"), [case for case in CASES if able(case[0])] or [CASES[0]]
)
def test_agreement(tmp_path, format, kind, options):
    skip_unless_writable(format)
    encoder = small_encoder(flip=True)
    model = small_classifier(encoder) if kind == "scores" else AudioEmbedder(encoder, **options)
    path = tmp_path / f"model{FORMATS[format].ending}"
    export_model(model, path, format, kind)
    assert kernels_wanted()
    # One window and less, several windows, several clips.
    for clips in (waves(1, 3000), waves(1, 20007), waves(3, 14000)):
        actual = run_file(path, format, clips)
        expected = expected_output(model, kind, clips)
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("seconds", [0.5, 1.25])
@pytest.mark.parametrize(
    "format", [name for name in ("litert", "saved_model", "torch") if able(name)][:1]
)
def test_a_fixed_length(tmp_path, format, seconds):
    model = AudioEmbedder(small_encoder(), one_pass=True)
    path = tmp_path / f"model{FORMATS[format].ending}"
    export_model(model, path, format, seconds=seconds)
    clips = waves(1, round(16000 * seconds))
    actual = run_file(path, format, clips)
    np.testing.assert_allclose(actual, model.embed(clips), rtol=0, atol=TOLERANCE)


@pytest.mark.skipif(not able("litert"), reason="LiteRT is written with TensorFlow")
def test_litert_in_eight_bits(tmp_path):
    model = AudioEmbedder(small_encoder())
    export_model(model, tmp_path / "small.tflite", "litert", int8=True)
    export_model(model, tmp_path / "large.tflite", "litert")
    assert (tmp_path / "small.tflite").stat().st_size < (tmp_path / "large.tflite").stat().st_size
    # Quiet bands beside a loud tone, which 8 bits in the spectrogram would lose.
    siren = read_audio(EXAMPLES / "siren.mp3")[np.newaxis]
    for clips in (siren, siren[:, :20007]):
        actual, expected = run_file(tmp_path / "small.tflite", "litert", clips), model.embed(clips)
        cosine = np.sum(actual * expected) / np.linalg.norm(actual) / np.linalg.norm(expected)
        assert cosine >= 0.99


@pytest.mark.parametrize("format", [name for name in FORMATS if not able(name)])
def test_a_pair_that_does_not_go_is_refused_before_any_work(tmp_path, format):
    (can, *_) = FORMATS[format].packages
    path = tmp_path / "new" / f"model{FORMATS[format].ending}"
    with pytest.raises(ValueError, match=f"with the {BACKEND} backend.*KERAS_BACKEND={can}"):
        export_model("no_such_preset", path, format)
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("path", "format", "options", "message"),
    [
        ("model.onnx", "onxx", {}, "must be one of saved_model, onnx, litert, openvino, torch"),
        ("model.tflite", "onnx", {}, r"must end with \.onnx"),
        ("model.pt2", "saved_model", {}, "must be a folder"),
        ("model.onnx", "onnx", {"int8": True}, "in the format litert only"),
        ("model.onnx", "onnx", {"seconds": 0}, "positive"),
    ],
)
def test_wrong_arguments(tmp_path, path, format, options, message):
    with pytest.raises(ValueError, match=message):
        export_model("no_such_preset", tmp_path / path, format, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(BACKEND != "jax", reason="JAX needs the number of blocks")
def test_jax_reads_whole_clips_of_one_length_only(tmp_path):
    with pytest.raises(ValueError, match="--seconds"):
        export_model(small_classifier(), tmp_path / "model", "saved_model", "scores")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    backend, format = ("tensorflow", "onnx")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else found(name)
    )
    with pytest.raises(ImportError, match=r"tf2onnx.*keras-axlstm\[export\]"):
        export_model("no_such_preset", tmp_path / "model.onnx", format)


def writable_format() -> str:
    return "torch" if BACKEND == "torch" else "saved_model"


def test_an_existing_output_is_kept(tmp_path):
    path = tmp_path / f"model{FORMATS[writable_format()].ending}"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite"):
        export_model("no_such_preset", path, writable_format())
    with pytest.raises(ValueError, match="no_such_preset"):
        export_model("no_such_preset", path, writable_format(), overwrite=True)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not able("openvino"), reason="OpenVINO is written with TensorFlow")
def test_the_weights_beside_an_openvino_file_are_kept(tmp_path):
    pytest.importorskip("openvino", reason="openvino is not installed")
    (tmp_path / "model.bin").write_text("mine")
    with pytest.raises(FileExistsError, match=r"model\.bin"):
        export_model(AudioEmbedder(small_encoder()), tmp_path / "model.xml", "openvino")
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    path = tmp_path / "file" / f"model{FORMATS[writable_format()].ending}"
    with pytest.raises(OSError, match="file"):
        export_model(AudioEmbedder(small_encoder()), path, writable_format())
