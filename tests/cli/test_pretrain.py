"""`keras-axlstm pretrain`."""

import dataclasses
import re

import keras
import numpy as np
import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.models import AudioEmbedder, MaskedSpectrogramModel, SpectrogramEncoder
from keras_axlstm.training import PretrainConfig
from keras_axlstm.training import run as training_run
from keras_axlstm.training.callbacks.history_log import read_history
from tests.training.runs import EXAMPLES, small_encoder


@pytest.fixture
def small(monkeypatch):
    """One block in place of twelve: for all that is not about learning."""
    monkeypatch.setattr(training_run, "new_encoder", small_encoder)


def run(*arguments):
    return main(["pretrain", *map(str, arguments), "--no-progress"])


def test_tiny_learns_the_examples(tmp_path, capsys):
    output = tmp_path / "preset"
    assert run(EXAMPLES, "--output", output, "--steps", 40, "--batch-size", 4) == 0
    history = read_history(output / "history.csv")
    assert [row["step"] for row in history] == list(range(1, 41))
    first = history[0]["loss"]
    assert np.mean([row["loss"] for row in history[-5:]]) < 0.7 * first

    printed = capsys.readouterr().out
    assert "12 clips, 40 steps of 4 clips, peak learning rate 0.001, 4,343,584 param" in printed
    assert re.search(rf"Loss {first:.4f} at step 1, {history[-1]['loss']:.4f} at step 40", printed)
    assert printed.index('source = "') < printed.index("batch_size = 4") < printed.index("12 clips")
    assert (output / "pretrain.toml").read_text() in printed
    assert f"keras-axlstm embed {EXAMPLES} --preset {output}" in printed

    model = MaskedSpectrogramModel.from_preset(output)
    embedder = AudioEmbedder.from_preset(output)
    assert embedder.normalization == "clip"
    scene = embedder.embed(EXAMPLES / "clock.wav")
    expected = AudioEmbedder(model.encoder).embed(EXAMPLES / "clock.wav")
    np.testing.assert_allclose(scene, expected, rtol=1e-5, atol=1e-5)


def test_a_preset_is_all_or_nothing(small, tmp_path, capsys):
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
        "pretrain.toml",
    ]
    before = (output / "history.csv").read_bytes()
    assert run(EXAMPLES, *options) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (output / "history.csv").read_bytes() == before
    assert run(EXAMPLES, *options, "--seed", 1, "--overwrite") == 0
    assert (output / "history.csv").read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


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


@pytest.mark.parametrize("model", ["axlstm", "ssast"])
def test_the_names_of_presets_are_built(model):
    config = PretrainConfig(source="sounds", output="preset", model=model)
    encoder = training_run.new_encoder(config)
    expected = SpectrogramEncoder.from_preset(f"{model}_tiny", load_weights=False)
    assert type(encoder) is type(expected)
    assert encoder.count_params() == expected.count_params()


@pytest.mark.parametrize(
    ("options", "clips", "steps", "steps_per_row"),
    [
        ({"batch_size": 32}, 64, 200, 2),
        ({"batch_size": 32, "epochs": 3}, 100, 9, 1),
        ({"epochs": 5}, 12, 5, 1),
        ({"steps": 7}, 1000, 7, 1),
        ({"steps": 1009}, 12, 1009, 10),
        ({}, 2_000_000, 195_300, 50),
        ({"steps": 1009, "log_every": 3}, 12, 1009, 3),
    ],
)
def test_length(options, clips, steps, steps_per_row):
    length = training_run.run_length(PretrainConfig(source="", output="", **options), clips)
    assert (length.steps, length.steps_per_row) == (steps, steps_per_row)


def test_every_field_is_an_option(capsys, monkeypatch):
    values = {
        **{"source": "sounds", "output": "preset", "workers": 2, "size": "base", "steps": 7},
        **{"expansion_factor": 4, "patch_size": (4, 8), "flip": False, "input_gate": "sigmoid"},
        **{"forget_gate": "exp", "mask_ratio": 0.25, "mask_mode": "timestep", "loss_on": "all"},
        **{"position_on_masked": True, "batch_size": 8, "gradient_accumulation": 4, "seed": 5},
        **{"learning_rate": 0.5, "warmup": 0.2, "weight_decay": 0.1, "log_every": 2},
        **{"precision": "mixed_float16", "tensorboard": True, "picture_every": 3},
        **{"checkpoint_every": 4, "keep_checkpoints": 5, "progress": False, "model": "axlstm"},
        **{"distribution": "model", "model_devices": 2, "initial_preset": "axlstm_base"},
        **{"dynamic_range": 40.0},
    }
    others = {"epochs": 6, "base_learning_rate": 0.3}
    assert values.keys() | others.keys() == {f.name for f in dataclasses.fields(PretrainConfig)}
    expected = PretrainConfig(**values)
    assert parsed(monkeypatch, *command_line(values)) == expected
    others = {"source": "sounds", "output": "preset", **others}
    assert parsed(monkeypatch, *command_line(others)) == PretrainConfig(**others)


def command_line(values):
    for name, value in values.items():
        option = "--" + name.replace("_", "-")
        if name == "source":
            yield value
        elif isinstance(value, bool):
            yield option if value else option.replace("--", "--no-", 1)
        else:
            yield from [option, *(value if isinstance(value, tuple) else [value])]


def parsed(monkeypatch, *arguments):
    """The configuration that a command line comes to."""
    configs = []

    def keep_config(config, resume, overwrite):
        configs.append(config)
        raise ValueError

    monkeypatch.setattr("keras_axlstm.training.run.pretrain", keep_config)
    assert main(["pretrain", *map(str, arguments)]) == 1
    return configs[0]


def test_options_override_a_file(tmp_path, monkeypatch):
    path = tmp_path / "pretrain.toml"
    path.write_text('source = "a"\noutput = "b"\nepochs = 5\nseed = 3\nflip = true\n')
    config = parsed(monkeypatch, "--config", path, "--output", "c", "--steps", 7, "--no-flip")
    expected = PretrainConfig(source="a", output="c", steps=7, seed=3, flip=False)
    assert config == expected


def test_resume_takes_the_configuration_of_the_run(tmp_path, monkeypatch):
    folder = tmp_path / "unfinished"
    folder.mkdir()
    stored = PretrainConfig(source="a", output=str(tmp_path), steps=9, seed=3)
    stored.save(folder / "pretrain.toml")
    assert parsed(monkeypatch, "--output", tmp_path, "--resume") == stored
    assert parsed(monkeypatch, "--output", tmp_path, "--resume", "--seed", 4).seed == 4


def test_a_run_that_was_stopped_is_told_how_to_go_on(small, tmp_path, monkeypatch, capsys):
    output = tmp_path / "preset"
    options = ["--output", output, "--steps", 4, "--batch-size", 2, "--checkpoint-every", 2]
    end = keras.callbacks.CallbackList.on_epoch_end

    def interrupt(self, epoch, logs=None):
        end(self, epoch, logs)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_epoch_end", interrupt)
    assert run(EXAMPLES, *options) == 130
    monkeypatch.setattr(keras.callbacks.CallbackList, "on_epoch_end", end)
    assert run(EXAMPLES, *options) == 1
    assert "checkpoint of step 2. Go on with resume=True" in capsys.readouterr().err
    assert run("--output", output, "--resume") == 0
    assert "Going on from the checkpoint of step 2" in capsys.readouterr().out
    assert [line["step"] for line in read_history(output / "history.csv")] == [1, 2, 3, 4]


def test_a_bad_file_is_skipped_listed_and_told_by_the_exit_code(small, tmp_path, capsys):
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


def test_divergence_is_an_error_and_leaves_nothing(small, tmp_path, capsys):
    options = ["--steps", 4, "--batch-size", 2, "--learning-rate", "1e30", "--warmup", 0]
    assert run(EXAMPLES, "--output", tmp_path / "preset", *options) == 1
    assert re.search(r"became \S+.* at step \d.*--learning-rate", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(small, tmp_path, monkeypatch, capsys):
    def interrupt(self, batch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_train_batch_end", interrupt)
    assert run(EXAMPLES, "--output", tmp_path / "preset", "--steps", 2, "--batch-size", 2) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_bar_counts_all_steps(small, tmp_path, capfd):
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
        (["--steps", "0"], "`steps` must be finite and at least 1. Received: 0"),
        (["--batch-size", "4.5"], "--batch-size: invalid int value: '4.5'"),
        (["--workers", "-1"], "`workers` must be finite and at least 0. Received: -1"),
        (["--learning-rate", "nan"], "`learning_rate` must be finite and greater than 0"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--resume", "--overwrite"], "not allowed with"),
        (["--steps", "5", "--epochs", "5"], "not allowed with"),
        (["--learning-rate", "1", "--base-learning-rate", "1"], "not allowed with"),
        (["--expansion-factor", "5"], "invalid choice"),
        (["--model", "ssast", "--flip", "--input-gate", "exp"], "flip, input_gate: only for model"),
    ],
)
def test_wrong_arguments(capsys, options, message):
    with pytest.raises(SystemExit) as exit_:
        run("sounds", "--output", "preset", *options)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err
