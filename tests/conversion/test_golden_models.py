"""Converted models give the numbers of the authors' code, gradients included."""

import numpy as np
import pytest
from keras import ops

from keras_axlstm.conversion.name_table import name_table, variable_at
from keras_axlstm.conversion.official_axlstm import AXLSTM
from keras_axlstm.conversion.official_ssast import SSAST
from tests.conversion.golden_models import CHOICES, converted
from tests.support.golden import load_golden
from tests.support.gradients import gradients
from tests.support.tolerances import (
    GOLDEN_MODEL_GRADIENT,
    GOLDEN_MODEL_OUTPUT,
    relative_error,
)

each_model = pytest.mark.parametrize("name", CHOICES)


def assert_near(actual, expected, tolerance=GOLDEN_MODEL_OUTPUT):
    assert relative_error(ops.convert_to_numpy(actual), expected) <= tolerance


def loss(model, golden):
    prediction = model(golden["spectrogram"], hidden=golden["mask"])
    return model.compute_loss(x=golden["spectrogram"], y_pred=prediction)


@each_model
def test_sequence(name):
    golden = load_golden(name)
    assert_near(converted(name).encoder(golden["spectrogram"]), golden["sequence"])


@each_model
def test_features(name):
    golden, encoder = load_golden(name), converted(name).encoder
    features = ops.convert_to_numpy(encoder.frame_features(encoder(golden["spectrogram"])))
    # The authors' code reads its time-major tokens as frequency-major at this point, so that its
    # "time step" t holds the tokens t, t + steps, t + 2 steps, ...
    steps, bands = encoder.grid_size
    tokens = features.reshape(-1, bands, steps, encoder.hidden_dim)
    assert_near(tokens.swapaxes(1, 2).reshape(features.shape), golden["features"])


@each_model
def test_reconstruction(name):
    golden = load_golden(name)
    prediction = converted(name).reconstruct(golden["spectrogram"], golden["mask"])
    assert_near(prediction, golden["pred"])


@each_model
@pytest.mark.parametrize("loss_on", ["masked", "all"])
def test_loss(name, loss_on, monkeypatch):
    golden, model = load_golden(name), converted(name)
    monkeypatch.setattr(model, "loss_on", loss_on)
    assert_near(loss(model, golden), golden[f"loss_{loss_on}"])


@each_model
def test_weight_gradients(name):
    golden, model = load_golden(name), converted(name)
    table = name_table(SSAST if name == "ssast" else AXLSTM, model.encoder.num_layers)
    variables = [variable_at(model, weight.target) for weight in table]
    assert {v.path for v in variables} == {v.path for v in model.trainable_variables}

    actual: dict[str, list] = {}
    expected: dict[str, list] = {}
    found = gradients(lambda: loss(model, golden), variables)
    for weight, gradient in zip(table, found, strict=True):
        # Conversion is linear, so gradients convert like weights. The parts of a split weight are
        # compared together: a key bias alone has no gradient but rounding errors.
        converted_gradient = weight.convert(golden[f"grad/{weight.source}"])
        assert gradient.shape == converted_gradient.shape
        actual.setdefault(weight.source, []).append(gradient.ravel())
        expected.setdefault(weight.source, []).append(converted_gradient.ravel())

    assert {f"grad/{source}" for source in expected} == {n for n in golden if n.startswith("grad/")}
    errors = {
        source: relative_error(np.concatenate(actual[source]), np.concatenate(expected[source]))
        for source in expected
    }
    assert {s: e for s, e in errors.items() if e > GOLDEN_MODEL_GRADIENT} == {}
