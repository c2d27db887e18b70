"""`keras-axlstm convert`."""

import subprocess
import sys

import keras_hub
import pytest
from keras import ops

from keras_axlstm.cli.main import main
from keras_axlstm.models import AudioEmbedder, MaskedSpectrogramModel
from tests.support.golden import GOLDEN, load_golden
from tests.support.tolerances import GOLDEN_MODEL_OUTPUT, relative_error

CHECKPOINT = GOLDEN / "axlstm_flip_ef2_checkpoint-99.pth"


def convert(*arguments):
    return main(["convert", str(CHECKPOINT), "--spectrogram-shape", "48", "32", *arguments])


def test_the_preset_gives_the_numbers_of_the_checkpoint(tmp_path, capsys):
    output = tmp_path / "preset"
    assert convert("--output", str(output)) == 0
    golden = load_golden("axlstm_flip_ef2")
    model = MaskedSpectrogramModel.from_preset(output)
    assert (
        relative_error(
            ops.convert_to_numpy(model.encoder(golden["spectrogram"])), golden["sequence"]
        )
        <= GOLDEN_MODEL_OUTPUT
    )
    prediction = model.reconstruct(golden["spectrogram"], golden["mask"])
    assert relative_error(ops.convert_to_numpy(prediction), golden["pred"]) <= GOLDEN_MODEL_OUTPUT
    assert AudioEmbedder.from_preset(output).normalization == "none"
    printed = capsys.readouterr().out
    assert "AxLSTMEncoder: 4 layers, width 32, patches (4, 16)" in printed
    assert f"keras-axlstm embed FILES --preset {output}" in printed


def test_options(tmp_path):
    output = tmp_path / "preset"
    assert convert("--output", str(output), "--no-flip", "--normalization", "clip") == 0
    embedder = AudioEmbedder.from_preset(output)
    assert embedder.normalization == "clip"
    assert embedder.encoder.flip is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pth", "--output", "preset"], "missing.pth"),
        ([str(CHECKPOINT), "--output", "preset"], "spectrogram_shape"),
        ([str(CHECKPOINT), "--output", "old"], "--overwrite"),
    ],
)
def test_errors_leave_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    assert main(["convert", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_an_installed_preset_loads_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert convert("--install", "axlstm_tiny_audioset") == 0
    assert "--preset axlstm_tiny_audioset" in capsys.readouterr().out
    golden = load_golden("axlstm_flip_ef2")
    for encoder in (
        AudioEmbedder.from_preset("axlstm_tiny_audioset").encoder,
        keras_hub.models.Backbone.from_preset("axlstm_tiny_audioset"),
        MaskedSpectrogramModel.from_preset("axlstm_tiny_audioset").encoder,
    ):
        sequence = ops.convert_to_numpy(encoder(golden["spectrogram"]))
        assert relative_error(sequence, golden["sequence"]) <= GOLDEN_MODEL_OUTPUT

    code = (
        "import keras_axlstm as k; print(k.AxLSTMEncoder.from_preset('axlstm_tiny_audioset').flip)"
    )
    later = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert later.stdout.strip() == "True"

    assert convert("--install", "axlstm_tiny_audioset") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert convert("--install", "axlstm_tiny_audioset", "--overwrite") == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [("axlstm_tiny", "is the name of a built-in preset"), ("../mine", "small letters, digits")],
)
def test_a_bad_name_is_refused(tmp_path, monkeypatch, capsys, name, message):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert convert("--install", name) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
