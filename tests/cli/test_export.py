"""`keras-axlstm export`."""

import keras
import numpy as np
import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.export.formats import FORMATS
from keras_axlstm.models import AudioEmbedder
from tests.support.runtimes import run_file
from tests.support.small_preset import save_small_preset

BACKEND = keras.backend.backend()
FORMAT = "torch" if BACKEND == "torch" else "saved_model"


@pytest.fixture
def preset(tmp_path):
    return str(save_small_preset(tmp_path / "preset"))


def test_a_preset_becomes_a_file(preset, tmp_path, capsys):
    output = tmp_path / f"model{FORMATS[FORMAT].ending}"
    command = ["export", preset, str(output), "--format", FORMAT, "--kind", "timestamps"]
    assert main([*command, "--seconds", "1"]) == 0
    assert f"{output}: float32 waveforms of 1 s at 16000 Hz in" in capsys.readouterr().out
    clip = np.random.default_rng(0).normal(scale=0.1, size=(1, 16000)).astype("float32")
    expected, _ = AudioEmbedder.from_preset(preset).embed_timestamps(clip)
    np.testing.assert_allclose(run_file(output, FORMAT, clip), expected, rtol=0, atol=1e-3)

    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("format", [name for name in FORMATS if BACKEND not in FORMATS[name][1]])
def test_a_pair_that_does_not_go(preset, tmp_path, capsys, format):
    output = tmp_path / f"model{FORMATS[format].ending}"
    assert main(["export", preset, str(output), "--format", format]) == 1
    error = capsys.readouterr().err
    assert f"cannot be written with the {BACKEND} backend" in error
    assert "KERAS_BACKEND=" in error
    assert not output.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "pickle"],
        ["--format", FORMAT, "--seconds", "-1"],
        ["--format", FORMAT, "--kind", "scores", "--one-pass"],
        [],
    ],
)
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["export", "preset", "output", *arguments])
    assert exit.value.code == 2
