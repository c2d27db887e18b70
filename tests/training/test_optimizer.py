"""The recipe's schedule and weight decay."""

import keras
import numpy as np
import pytest

import keras_axlstm
from keras_axlstm.training import pretraining_optimizer
from tests.models.test_encoders import make


def rate(optimizer, step):
    return float(keras.ops.convert_to_numpy(optimizer._learning_rate(step)))


def test_schedule_of_the_paper():
    optimizer = pretraining_optimizer(steps_per_epoch=100)
    peak = 1.5e-4 * 1024 / 256
    assert rate(optimizer, 0) == 0
    assert rate(optimizer, 500) == pytest.approx(peak / 2, rel=1e-5)
    assert rate(optimizer, 1000) == pytest.approx(peak, rel=1e-5)
    middle = 0.5 * (1 + np.cos(np.pi * 0.5))
    assert rate(optimizer, 5500) == pytest.approx(peak * middle, rel=1e-4)
    assert rate(optimizer, 10000) == pytest.approx(0, abs=1e-9)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.weight_decay) == (0.9, 0.95, 0.05)


@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_weight_decay_leaves_one_dimensional_weights_alone(name):
    model = keras_axlstm.MaskedSpectrogramModel(make(name))
    optimizer = pretraining_optimizer(steps_per_epoch=10)
    optimizer.build(model.trainable_variables)
    for variable in model.trainable_variables:
        assert optimizer._use_weight_decay(variable) == (len(variable.shape) > 1), variable.path


@pytest.mark.parametrize(
    "kwargs",
    (
        {"steps_per_epoch": 0},
        {"steps_per_epoch": 5, "epochs": 0},
        {"steps_per_epoch": 5, "batch_size": 0},
    ),
)
def test_lengths_must_be_positive(kwargs):
    with pytest.raises(ValueError, match="must be positive. Received"):
        pretraining_optimizer(**kwargs)


def test_warmup_must_fit():
    with pytest.raises(ValueError, match="between 0 and epochs=5. Received: 6"):
        pretraining_optimizer(10, epochs=5, warmup_epochs=6)
