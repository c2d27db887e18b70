"""`keras-axlstm embed`."""

import re

import keras
import numpy as np
import pytest
import soundfile

from keras_axlstm.cli.main import main
from keras_axlstm.models import AudioEmbedder, AxLSTMAudioConverter, AxLSTMEncoder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset")
    encoder = AxLSTMEncoder((40, 80), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    encoder.save_to_preset(str(folder))
    AxLSTMAudioConverter(normalization="clip").save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    """A folder with two clips, one of them deeper, and a file that is no audio."""
    folder = tmp_path_factory.mktemp("audio")
    generator = np.random.default_rng(0)
    (folder / "deeper").mkdir()
    for name, samples in (("a.wav", 3000), ("deeper/b.flac", 9000)):
        soundfile.write(folder / name, generator.uniform(-0.5, 0.5, samples), 16000)
    return folder


def embed(*arguments):
    return main(["embed", *map(str, arguments), "--no-progress"])


def test_scenes(preset, audio, tmp_path, capsys):
    output = tmp_path / "scenes.npz"
    assert embed(audio, "--preset", preset, "--output", output) == 0
    paths = [audio / "a.wav", audio / "deeper" / "b.flac"]
    expected = AudioEmbedder.from_preset(preset).embed_files(paths, progress=False).embeddings
    with np.load(output) as arrays:
        assert arrays["path"].tolist() == [str(path) for path in paths]
        np.testing.assert_allclose(
            arrays["embedding"], [expected[path] for path in paths], rtol=1e-5, atol=1e-6
        )
    printed = capsys.readouterr().out
    assert re.search(r"a\.wav +0\.19 +-?\d+\.\d{4} ", printed)
    assert "2 files, 0.8 s of audio, 80 values an embedding" in printed
    assert str(output) in printed


def test_timestamps_and_options_reach_the_embedder(preset, audio, tmp_path):
    output = tmp_path / "frames.parquet"
    options = ["--timestamps", "--one-pass", "--normalization", "none", "--batch-size", "2"]
    assert embed(audio / "a.wav", "--preset", preset, "--output", output, *options) == 0

    import pyarrow.parquet as pq

    table = pq.read_table(output)
    embedder = AudioEmbedder.from_preset(preset, one_pass=True, normalization="none")
    frames, times_ms = embedder.embed_timestamps(audio / "a.wav")
    np.testing.assert_allclose(
        np.array(table["embedding"].to_pylist()), frames, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(table["time_ms"], times_ms)


def test_frames_without_an_output_are_counted(preset, audio, capsys):
    assert embed(audio / "a.wav", "--preset", preset, "--timestamps") == 0
    assert re.search(r"a\.wav +0\.19 +5 frames", capsys.readouterr().out)


def test_a_bad_file_is_skipped_listed_and_told_by_the_exit_code(preset, audio, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"")
    output = tmp_path / "scenes.npz"
    assert embed(audio, bad, "--preset", preset, "--output", output) == 3
    with np.load(output) as arrays:
        assert len(arrays["path"]) == 2
    errors = capsys.readouterr().err
    assert re.search(r"^skipped: .*bad\.wav.*empty", errors, re.MULTILINE)
    assert "1 file was skipped" in errors


@pytest.mark.parametrize("options", [[], ["--output", "scenes.npz"]])
def test_nothing_but_bad_files_is_an_error(preset, tmp_path, monkeypatch, capsys, options):
    monkeypatch.chdir(tmp_path)
    assert embed("missing.wav", "--preset", preset, *options) == 1
    assert re.search(r"^keras-axlstm: error: .*missing\.wav", capsys.readouterr().err, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_kept_without_overwrite(preset, audio, tmp_path, capsys):
    output = tmp_path / "scenes.npz"
    output.write_text("old")
    assert embed(audio, "--preset", preset, "--output", output) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "old"
    assert embed(audio, "--preset", preset, "--output", output, "--overwrite") == 0
    assert output.stat().st_size > 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "axlstm_huge"], "Unknown preset"),
        (["--preset", "ssast_base"], "no pretrained weights"),
        (["--preset", "{preset}", "--output", "scenes.csv"], "must end in .npz or .parquet"),
    ],
)
def test_errors(preset, audio, capsys, arguments, message):
    arguments = [argument.format(preset=preset) for argument in arguments]
    assert embed(audio, *arguments) == 1
    assert message in capsys.readouterr().err


def test_a_folder_without_audio_is_an_error(preset, tmp_path, capsys):
    assert embed(tmp_path, "--preset", preset) == 1
    assert "Found none" in capsys.readouterr().err


def test_a_long_list_is_cut(preset, audio, tmp_path, capsys):
    for index in range(23):
        (tmp_path / f"{index:02}.wav").symlink_to(audio / "a.wav")
    assert embed(tmp_path, "--preset", preset) == 0
    printed = capsys.readouterr().out
    assert "19.wav" in printed and "20.wav" not in printed
    assert "... and 3 more" in printed and "23 files" in printed
