"""The scripts of examples/ on examples/audio, with very small encoders."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder, SSASTEncoder
from keras_axlstm.training import run as training
from tests.support.small_preset import save_small_preset

EXAMPLES = Path(__file__).parents[2] / "examples"
AUDIO = EXAMPLES / "audio"


def load(name):
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("preset"))


def test_pretrain_on_folder(tmp_path, monkeypatch, capsys):
    def small_encoder(config):
        return SSASTEncoder(hidden_dim=16, num_layers=1, num_heads=1, spectrogram_shape=(16, 80))

    monkeypatch.setattr(training, "new_encoder", small_encoder)
    output = tmp_path / "preset"
    load("pretrain_on_folder").main([str(AUDIO), str(output), "--steps", "2", "--batch-size", "2"])
    assert "at the end" in capsys.readouterr().out
    assert (output / "reconstruction.png").read_bytes().startswith(b"\x89PNG")
    assert AudioEmbedder.from_preset(output).embed(AUDIO / "clock.wav").shape == (80,)


def test_search_similar(preset, tmp_path, capsys):
    script = load("search_similar")
    folder = tmp_path / "sounds"
    folder.mkdir()
    for name in ("rain.ogg", "melody.flac", "clock.wav"):
        (folder / name).write_bytes((AUDIO / name).read_bytes())
    (folder / "bad.wav").write_text("no audio")
    cache = tmp_path / "cache.npz"
    arguments = [str(folder / "rain.ogg"), str(folder), "--preset", str(preset)]
    arguments += ["--cache", str(cache)]
    script.main(arguments)
    first = capsys.readouterr()
    assert "bad.wav" in first.err

    paths = [folder / name for name in ("clock.wav", "melody.flac", "rain.ogg")]
    embedder = AudioEmbedder.from_preset(preset)
    embeddings = np.stack([embedder.embed(path) for path in paths])
    embeddings -= embeddings.mean(axis=0)
    cosines = embeddings[:2] @ embeddings[2]
    cosines /= np.linalg.norm(embeddings[:2], axis=1) * np.linalg.norm(embeddings[2])
    lines = first.out.split("\n")[:2]
    assert [line.split()[1] for line in lines] == [str(paths[i]) for i in np.argsort(-cosines)]
    printed = [float(line.split()[0]) for line in lines]
    np.testing.assert_allclose(printed, sorted(cosines, reverse=True), atol=1e-3)

    written = cache.stat().st_mtime_ns
    (folder / "bad.wav").unlink()
    script.main(arguments)
    assert capsys.readouterr().out == first.out and cache.stat().st_mtime_ns == written
    os.utime(folder / "clock.wav")
    script.main([*arguments, "--top", "1"])
    assert capsys.readouterr().out.count("\n") == 1 and cache.stat().st_mtime_ns > written


def test_evaluate_labelled_files(preset, tmp_path, capsys):
    script = load("evaluate_labelled_files")
    arguments = [str(EXAMPLES / "audio_labels.csv"), str(tmp_path / "evaluation")]
    script.main([*arguments, "--models", "logmel", str(preset), "--seeds", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["logmel", preset.name]
    assert all("accuracy" in line and "±" in line for line in lines)

    (tmp_path / "few.csv").write_text(
        "path,label\n"
        + "".join(
            f"{AUDIO / name},{label}\n" for name, label in (("rain.ogg", "a"), ("clock.wav", "b"))
        )
    )
    with pytest.raises(ValueError, match="3 files of each class. Fewer: a, b"):
        script.main([str(tmp_path / "few.csv"), str(tmp_path / "out"), "--models", "logmel"])
    assert not (tmp_path / "out" / "tasks" / "labelled-1.0-files").exists()
