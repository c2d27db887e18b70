"""`keras-axlstm embed --stream`."""

import io
import sys

import keras
import numpy as np
import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.models import AudioEmbedder, AxLSTMAudioConverter, AxLSTMEncoder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset")
    encoder = AxLSTMEncoder((40, 80), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    encoder.save_to_preset(str(folder))
    converter = AxLSTMAudioConverter(normalization="dataset", mean=-5.0, std=2.0)
    converter.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def samples():
    return (np.random.default_rng(0).uniform(-0.5, 0.5, 9000) * 2**15).astype("int16")


class Pipe(io.BytesIO):
    """A pipe that gives odd numbers of bytes, and then fails if it is told to."""

    def __init__(self, content, failure=None):
        super().__init__(content)
        self.failure = failure

    def read1(self, size=-1):
        received = super().read1(min(size, 3333))
        if not received and self.failure:
            raise self.failure
        return received


@pytest.fixture
def embed(preset, monkeypatch):
    def run(content, *arguments, failure=None):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Pipe(content, failure)))
        return main(["embed", "--stream", "--preset", str(preset), *map(str, arguments)])

    return run


def read_csv(text):
    header, *lines = text.splitlines()
    assert header == ",".join(["time_ms", *map(str, range(80))])
    rows = np.array([line.split(",") for line in lines], float)
    return rows[:, 1:], rows[:, 0]


@pytest.mark.parametrize("files", [[], ["-"]], ids=str)
def test_csv_lines(embed, preset, samples, capsys, files):
    assert embed(samples.tobytes(), *files) == 0
    frames, times_ms = read_csv(capsys.readouterr().out)
    embedder = AudioEmbedder.from_preset(preset, one_pass=True)
    expected, expected_times_ms = embedder.embed_timestamps(samples)
    np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(times_ms, expected_times_ms)


def test_float_samples_of_another_rate_to_a_file(embed, preset, tmp_path, capsys):
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, 22050).astype("float32")
    output = tmp_path / "frames.npz"
    options = ["--sample-format", "float32", "--sampling-rate", 44100, "--normalization", "none"]
    assert embed(waveform.tobytes(), "--output", output, *options) == 0
    embedder = AudioEmbedder.from_preset(preset, one_pass=True, normalization="none")
    expected, times_ms = embedder.embed_timestamps(waveform, sampling_rate=44100)
    with np.load(output) as arrays:
        assert arrays["path"].tolist() == ["-"]
        np.testing.assert_allclose(arrays["embedding/0"], expected, rtol=0, atol=1e-4)
        np.testing.assert_allclose(arrays["times_ms/0"], times_ms)
    assert f"{len(expected)} frames, written to {output}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "failure", "code"),
    [(b"", KeyboardInterrupt(), 130), (np.float32("nan").tobytes(), None, 1)],
    ids=["interrupted", "nan"],
)
def test_a_broken_stream_leaves_the_frames_so_far(
    embed, samples, tmp_path, capsys, content, failure, code
):
    output = tmp_path / "frames.npz"
    waveform = (samples / 2.0**15).astype("float32").tobytes()
    options = ["--output", output, "--sample-format", "float32"]
    assert embed(waveform + content, *options, failure=failure) == code
    with np.load(output) as arrays:
        assert len(arrays["embedding/0"]) == len(arrays["times_ms/0"]) >= 10
    assert ("interrupted" if failure else "must be finite") in capsys.readouterr().err


def test_less_than_a_frame_is_an_error_and_writes_nothing(embed, samples, tmp_path, capsys):
    assert embed(samples[:100].tobytes(), "--output", tmp_path / "frames.npz") == 1
    assert "at least one frame of the spectrogram: 400 samples" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_half_a_sample_at_the_end_is_said(embed, samples, capsys):
    assert embed(samples.tobytes() + b"\0") == 0
    assert "1 bytes at the end are less than a sample: ignored" in capsys.readouterr().err


def test_an_existing_output_is_kept_without_overwrite(embed, samples, tmp_path, capsys):
    output = tmp_path / "frames.npz"
    output.write_text("old")
    assert embed(samples.tobytes(), "--output", output) == 1
    assert output.read_text() == "old" and "--overwrite" in capsys.readouterr().err


def test_what_looks_ahead_is_refused(embed, samples, capsys):
    assert embed(samples.tobytes(), "--normalization", "clip") == 1
    assert 'normalization="dataset"' in capsys.readouterr().err


def test_files_and_a_stream_are_refused(embed, capsys):
    with pytest.raises(SystemExit) as exit_:
        embed(b"", "clip.wav")
    assert exit_.value.code == 2 and "give `-` or nothing" in capsys.readouterr().err


def test_a_terminal_is_refused(embed, monkeypatch, capsys):
    monkeypatch.setattr(Pipe, "isatty", lambda self: True)
    with pytest.raises(SystemExit):
        embed(b"")
    assert "raw audio in a pipe" in capsys.readouterr().err


def test_neither_files_nor_a_stream(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["embed"])
    assert exit_.value.code == 2 and "required: FILES" in capsys.readouterr().err
