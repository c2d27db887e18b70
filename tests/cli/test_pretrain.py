"""`keras-axlstm pretrain`."""

import csv
import math
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_axlstm.cli import pretrain
from keras_axlstm.cli.main import main
from keras_axlstm.models import (
    AudioEmbedder,
    AxLSTMEncoder,
    MaskedSpectrogramModel,
    SpectrogramEncoder,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


@pytest.fixture
def small_encoder(monkeypatch):
    """One block in place of twelve: for all that is not about learning."""

    def new_encoder(arguments):
        return AxLSTMEncoder((40, 80), (4, 16), 16, num_layers=1, dtype=arguments.precision)

    monkeypatch.setattr(pretrain, "_new_encoder", new_encoder)


def run(*arguments):
    return main(["pretrain", *map(str, arguments), "--no-progress"])


def parse(*arguments):
    from keras_axlstm.cli.main import build_parser

    return build_parser().parse_args(["pretrain", "sounds", "--output", "preset", *arguments])


def read_history(preset):
    with open(preset / "history.csv", newline="") as file:
        return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def test_tiny_learns_the_examples(tmp_path, capsys):
    output = tmp_path / "preset"
    assert run(EXAMPLES, "--output", output, "--steps", 40, "--batch-size", 4) == 0
    history = read_history(output)
    assert [row["step"] for row in history] == list(range(1, 41))
    first = history[0]["loss"]
    assert np.mean([row["loss"] for row in history[-5:]]) < 0.7 * first

    printed = capsys.readouterr().out
    assert "12 files, 40 steps of 4 clips, peak learning rate 0.001, 4,343,584 param" in printed
    assert re.search(rf"Loss {first:.4f} at the first step, {history[-1]['loss']:.4f}", printed)
    assert f"keras-axlstm embed {EXAMPLES} --preset {output}" in printed

    model = MaskedSpectrogramModel.from_preset(output)
    embedder = AudioEmbedder.from_preset(output)
    assert embedder.normalization == "clip"
    scene = embedder.embed(EXAMPLES / "clock.wav")
    expected = AudioEmbedder(model.encoder).embed(EXAMPLES / "clock.wav")
    np.testing.assert_allclose(scene, expected, rtol=1e-5, atol=1e-5)


def test_a_preset_is_all_or_nothing(small_encoder, tmp_path, capsys):
    output = tmp_path / "preset"
    options = ["--output", output, "--steps", 1, "--batch-size", 2]
    assert run(EXAMPLES, *options) == 0
    assert sorted(path.name for path in output.iterdir()) == [
        "audio_converter.json",
        "config.json",
        "history.csv",
        "masked_spectrogram_model.json",
        "masked_spectrogram_model.npz",
        "metadata.json",
        "model.weights.h5",
    ]
    before = (output / "history.csv").read_bytes()
    assert run(EXAMPLES, *options) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (output / "history.csv").read_bytes() == before
    assert run(EXAMPLES, *options, "--seed", 1, "--overwrite") == 0
    assert (output / "history.csv").read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


def test_the_seed_decides(small_encoder, tmp_path):
    histories = []
    for name in ("a", "b"):
        options = ["--steps", 2, "--batch-size", 2, "--seed", 7]
        assert run(EXAMPLES, "--output", tmp_path / name, *options) == 0
        histories.append(read_history(tmp_path / name))
    assert [row["loss"] for row in histories[0]] == pytest.approx(
        [row["loss"] for row in histories[1]], rel=1e-5
    )


def test_model_options_reach_the_model(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", raise_fit)
    monkeypatch.setattr(MaskedSpectrogramModel, "compile", keep(made := []))
    options = ["--expansion-factor", 2, "--patch-size", 4, 8, "--flip", "--input-gate", "sigmoid"]
    options += ["--forget-gate", "exp", "--mask-ratio", 0.25, "--mask-mode", "timestep"]
    options += ["--loss-on", "all", "--precision", "mixed_bfloat16"]
    assert run(EXAMPLES, "--output", tmp_path / "preset", *options) == 1
    (model,) = made
    encoder = model.encoder
    assert (encoder.hidden_dim, encoder.num_layers, encoder.patch_size) == (192, 12, (4, 8))
    assert (encoder.expansion_factor, encoder.flip) == (2, True)
    assert (encoder.input_gate, encoder.forget_gate) == ("sigmoid", "exp")
    assert (model.mask_ratio, model.mask_mode, model.loss_on) == (0.25, "timestep", "all")
    assert encoder.dtype_policy.name == "mixed_bfloat16"
    assert list(tmp_path.iterdir()) == []


def raise_fit(*args, **kwargs):
    raise ValueError("no training")


def keep(made):
    def compile_model(self, optimizer):
        made.append(self)

    return compile_model


def test_the_names_of_presets_are_built():
    for model in ("axlstm", "ssast"):
        encoder = pretrain._new_encoder(parse("--model", model, "--size", "tiny"))
        expected = SpectrogramEncoder.from_preset(f"{model}_tiny", load_weights=False)
        assert type(encoder) is type(expected)
        assert encoder.count_params() == expected.count_params()


@pytest.mark.parametrize(
    ("options", "files", "steps", "steps_a_row"),
    [
        ([], 64, 200, 2),
        (["--epochs", "3"], 100, 9, 3),
        (["--epochs", "5"], 12, 5, 1),
        (["--steps", "7"], 1000, 7, 1),
        (["--steps", "200"], 12, 200, 2),
        (["--steps", "1010"], 12, 1010, 10),
        (["--steps", "1009"], 12, 1009, 1),
    ],
)
def test_length(options, files, steps, steps_a_row):
    assert pretrain._training_length(parse(*options), files) == (steps, steps_a_row)


@pytest.mark.parametrize(
    ("options", "peak"),
    [
        ([], 1.5e-4 * 32 / 256),
        (["--batch-size", "1024"], 6e-4),
        (["--steps", "200", "--batch-size", "4"], 1e-3),
        (["--steps", "200", "--learning-rate", "0.01"], 0.01),
        (["--learning-rate", "0.01"], 0.01),
        (["--base-learning-rate", "0.016", "--steps", "5"], 0.002),
    ],
)
def test_learning_rate(options, peak):
    arguments = parse(*options)
    assert pretrain._base_learning_rate(arguments) * arguments.batch_size / 256 == pytest.approx(
        peak
    )


def test_a_bad_file_is_skipped_listed_and_told_by_the_exit_code(small_encoder, tmp_path, capsys):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for name in ("clock.wav", "chirps.wav"):
        (folder / name).symlink_to(EXAMPLES / name)
    (folder / "bad.wav").write_bytes(b"no audio")
    assert run(folder, "--output", tmp_path / "preset", "--steps", 1, "--batch-size", 2) == 3
    errors = capsys.readouterr().err
    assert re.search(r"^skipped: .*bad\.wav", errors, re.MULTILINE)
    assert "1 file was skipped" in errors
    assert (tmp_path / "preset" / "model.weights.h5").exists()


def test_divergence_is_an_error_and_leaves_nothing(small_encoder, tmp_path, capsys):
    options = ["--steps", 4, "--batch-size", 2, "--learning-rate", "1e30", "--warmup", 0]
    assert run(EXAMPLES, "--output", tmp_path / "preset", *options) == 1
    assert re.search(r"loss became \S+ by step \d.*--learning-rate", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(small_encoder, tmp_path, monkeypatch, capsys):
    def interrupt(self, batch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_train_batch_end", interrupt)
    assert run(EXAMPLES, "--output", tmp_path / "preset", "--steps", 2, "--batch-size", 2) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_bar_counts_all_steps(small_encoder, tmp_path, capfd):
    output = tmp_path / "preset"
    assert main(["pretrain", str(EXAMPLES), "--output", str(output), "--steps", "2"]) == 0
    assert "2/2" in capfd.readouterr().err


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_audio_is_an_error(tmp_path, capsys, folder):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / folder, "--output", tmp_path / "preset") == 1
    assert "Expected" in capsys.readouterr().err
    assert not (tmp_path / "preset").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "0"], "expected a positive integer, received '0'"),
        (["--batch-size", "4.5"], "expected a positive integer, received '4.5'"),
        (["--workers", "-1"], "expected an integer of 0 or more, received '-1'"),
        (["--learning-rate", "0"], "expected a positive number, received '0'"),
        (["--learning-rate", "nan"], "expected a positive number, received 'nan'"),
        (["--mask-ratio", "1"], "expected a number from 0 to below 1, received '1'"),
        (["--steps", "5", "--epochs", "5"], "not allowed with"),
        (["--learning-rate", "1", "--base-learning-rate", "1"], "not allowed with"),
        (["--expansion-factor", "5"], "invalid choice"),
        (["--model", "ssast", "--flip", "--input-gate", "exp"], "--flip, --input-gate: only for"),
    ],
)
def test_wrong_arguments(capsys, options, message):
    with pytest.raises(SystemExit) as exit_:
        run("sounds", "--output", "preset", *options)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_the_history_has_the_means_of_its_rows(small_encoder, tmp_path):
    options = ["--epochs", 3, "--batch-size", 6]
    assert run(EXAMPLES, "--output", tmp_path / "preset", *options) == 0
    history = read_history(tmp_path / "preset")
    assert [row["step"] for row in history] == [2, 4, 6]
    assert all(math.isfinite(row["reconstruction_mse"]) for row in history)
