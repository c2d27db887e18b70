"""`keras-axlstm presets` tells the truth."""

import re

import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.cli.presets import PARAMETERS
from keras_axlstm.models import MaskedSpectrogramModel, SpectrogramEncoder, presets


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    encoder = SpectrogramEncoder.from_preset(name, load_weights=False)
    assert MaskedSpectrogramModel(encoder).count_params() == PARAMETERS[name]


def test_every_registered_preset_is_listed():
    built_in = {name for name in presets.REGISTERED if (presets.PRESETS_FOLDER / name).is_dir()}
    assert set(PARAMETERS) == built_in


def test_the_table(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["presets"]) == 0
    output = capsys.readouterr().out
    assert re.search(r"^ssast_base +85,747,264 +768 +12 +no$", output, re.MULTILINE)
    assert re.search(r"^axlstm_tiny +4,343,584 +192 +12 +yes$", output, re.MULTILINE)
    assert "keras-axlstm convert CHECKPOINT" in output and "keras-axlstm pretrain DIR" in output


def test_with_all_weights_there_is_nothing_to_explain(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(presets, "has_weights", lambda name: True)
    assert main(["presets"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7
