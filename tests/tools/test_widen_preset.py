"""A wider model that computes what a narrower one does."""

import json
import sys

import keras
import numpy as np
import pytest

import widen_preset
from keras_axlstm.layers import sine_cosine_position
from keras_axlstm.layers.sine_cosine_position import position_rates
from keras_axlstm.models import (
    AudioEmbedder,
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    MaskedSpectrogramModel,
    SSASTEncoder,
)
from preset_training.widen import widen
from tests.support.tolerances import SAME_FORMULA, relative_error

NARROW = 32


def new_model(hidden_dim=NARROW, kind=AxLSTMEncoder, **options):
    encoder = kind((40, 80), hidden_dim=hidden_dim, num_layers=2, **options)
    return MaskedSpectrogramModel(encoder)


def trained(model):
    """Weights that are all of some size, gates and biases too."""
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        values = keras.ops.convert_to_numpy(weight)
        weight.assign(values + rng.normal(size=values.shape) * 0.2)
    return model


def spectrograms():
    return np.random.default_rng(1).normal(size=(2, 40, 80)).astype("float32")


def hidden():
    return np.tile([0.0, 1.0, 1.0, 0.0, 0.0], (2, 10)).astype("float32")


def reconstructed(model):
    return keras.ops.convert_to_numpy(model.reconstruct(spectrograms(), hidden()))


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_it_computes_the_same_apart_from_the_position(factor, flip, monkeypatch):
    narrow, wide = trained(new_model(flip=flip)), new_model(NARROW * factor, flip=flip)
    tokens = keras.ops.convert_to_numpy(narrow.encoder(spectrograms()))
    patches = reconstructed(narrow)
    widen(narrow, wide)
    monkeypatch.setattr(
        sine_cosine_position, "position_rates", lambda channels: np.repeat(rates, factor)
    )
    rates = position_rates(NARROW)
    received = keras.ops.convert_to_numpy(wide.encoder(spectrograms()))
    assert relative_error(received, np.repeat(tokens, factor, axis=-1)) <= SAME_FORMULA
    assert relative_error(reconstructed(wide), patches) <= SAME_FORMULA


def test_the_position_that_is_read_is_that_of_the_narrow_model():
    narrow, wide = trained(new_model()), new_model(2 * NARROW)
    np.testing.assert_allclose(position_rates(2 * NARROW)[::2], position_rates(NARROW), rtol=1e-6)
    widen(narrow, wide)
    # What is left is the mean and the deviation in the norms.
    assert relative_error(reconstructed(wide), reconstructed(narrow)) < 0.2


def test_copies_do_not_learn_the_same():
    wide = new_model(2 * NARROW)
    widen(trained(new_model()), wide)
    down = keras.ops.convert_to_numpy(wide.encoder.blocks[0].down_projection.kernel)
    inside = down.reshape(-1, 2, 4, 2 * NARROW)  # copies side by side, in groups of four
    assert np.abs(inside[:, 0] - inside[:, 1]).max() > 0.1 * np.abs(down).max()


def test_bad_models():
    narrow = new_model()
    with pytest.raises(ValueError, match="multiple of hidden_dim 32.*'hidden_dim': 48"):
        widen(narrow, new_model(48))
    with pytest.raises(ValueError, match="same architecture.*'flip': True"):
        widen(narrow, new_model(64, flip=True))
    ssast = new_model(kind=SSASTEncoder, num_heads=2)
    with pytest.raises(ValueError, match="Expected an AxLSTM. Received: SSASTEncoder"):
        widen(ssast, ssast)


def call(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["widen_preset.py", *map(str, arguments)])
    return widen_preset.main()


def test_the_command(monkeypatch, tmp_path, capsys):
    narrow, wide, output = (tmp_path / name for name in ("narrow", "wide", "output"))
    model = trained(new_model())
    model.save_to_preset(narrow)
    AxLSTMAudioConverter(dynamic_range=40.0).save_to_preset(str(narrow))
    new_model(64).encoder.save_to_preset(str(wide))
    assert call(monkeypatch, narrow, wide, output) == 0
    expected = new_model(64)
    widen(model, expected)
    received = MaskedSpectrogramModel.from_preset(output)
    for one, other in zip(received.trainable_weights, expected.trainable_weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (one, other)))
    assert AudioEmbedder.from_preset(output).dynamic_range == 40.0
    assert json.loads((output / "widened.json").read_text()) == {"from": "narrow"}
    assert call(monkeypatch, narrow, wide, output) == 1
    assert "output exists already: name another" in capsys.readouterr().err
    assert call(monkeypatch, "nowhere", wide, tmp_path / "other") == 1
    assert "Unknown preset" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
