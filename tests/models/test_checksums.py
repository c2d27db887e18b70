"""Weights of a preset that are not those that its checksums were taken of are refused."""

import os

import keras_hub
import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder, AxLSTMEncoder, MaskedSpectrogramModel
from keras_axlstm.models.checksums import CHECKSUMS_FILE, write_checksums

LOADERS = [
    AxLSTMEncoder.from_preset,
    keras_hub.models.Backbone.from_preset,
    AudioEmbedder.from_preset,
    MaskedSpectrogramModel.from_preset,
]


@pytest.fixture(params=[1.0, 1e-5], ids=["one file", "shards"])
def preset(request, tmp_path):
    encoder = AxLSTMEncoder(
        spectrogram_shape=(16, 16), patch_size=(4, 8), hidden_dim=16, num_layers=2, num_heads=1
    )
    folder = tmp_path / "preset"
    MaskedSpectrogramModel(encoder).save_to_preset(folder)
    if request.param < 1:
        os.remove(folder / "model.weights.h5")
        encoder.save_to_preset(str(folder), max_shard_size=request.param)
    write_checksums(folder)
    return folder


@pytest.mark.parametrize("load", LOADERS)
def test_an_untouched_preset_loads(preset, load):
    load(str(preset))


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_preset_is_refused(preset, load, damage):
    file = max(preset.glob("*.h5"), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        file.write_bytes(content[:-100])
    elif damage == "altered":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        next(preset.glob("*.npz")).unlink()
    expected = "incomplete" if damage == "missing" else rf"{file.name} is damaged.*SHA-256"
    with pytest.raises(ValueError, match=expected):
        load(str(preset))


def test_weights_of_ones_own_load_without_checksums(preset):
    encoder = AxLSTMEncoder.from_preset(str(preset))
    (preset / CHECKSUMS_FILE).unlink()
    for weight in encoder.weights:
        weight.assign(np.ones(weight.shape))
    for file in preset.glob("*.h5"):
        file.unlink()
    (preset / "model.weights.json").unlink(missing_ok=True)
    encoder.save_to_preset(str(preset))
    loaded = AxLSTMEncoder.from_preset(str(preset))
    assert all((np.array(weight) == 1).all() for weight in loaded.get_weights())
