"""`keras-axlstm convert`."""

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
