"""The recipe's schedule and weight decay."""

import keras
import numpy as np
import pytest

import keras_axlstm
from keras_axlstm.training import LayerDecayAdamW, fine_tuning_optimizer, pretraining_optimizer
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


@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_weights_decay_by_value(name):
    """With gradients of zero nothing but weight decay moves a weight."""
    classifier = keras_axlstm.AudioClassifier(make(name), num_classes=2, pooling="attention")
    variables = classifier.trainable_variables
    optimizers = (
        pretraining_optimizer(10, weight_decay=0.1, warmup_epochs=0, base_learning_rate=0.01),
        fine_tuning_optimizer(10, 3, weight_decay=0.1, warmup_fraction=0),
    )
    for optimizer in optimizers:
        for variable in variables:
            variable.assign(np.ones(variable.shape))
        optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
        for variable in variables:
            decayed = (keras.ops.convert_to_numpy(variable) < 1).all()
            assert decayed == (len(variable.shape) > 1), variable.path


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


@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_layer_decay_is_adamw_at_the_scaled_learning_rate(name):
    """Each weight moves as under plain AdamW with a learning rate of its own."""
    classifier = keras_axlstm.AudioClassifier(make(name), num_classes=2, pooling="attention")
    variables = classifier.trainable_variables
    rng = np.random.default_rng(0)
    values = [rng.normal(size=v.shape).astype("float32") for v in variables]
    gradients = [rng.normal(size=v.shape).astype("float32") for v in variables]

    def apply(optimizer):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        for _ in range(2):
            optimizer.apply(list(map(keras.ops.convert_to_tensor, gradients)), variables)
        return [keras.ops.convert_to_numpy(v) for v in variables]

    scales = {"block_0": 0.125, "block_1": 0.25, "block_2": 0.5}
    scales |= {"patch_embedding": 0.0625, "class_token": 0.0625}
    found = apply(LayerDecayAdamW(0.1, layer_decay=0.5, num_layers=3, weight_decay=0.2))
    plain = {
        scale: apply(keras.optimizers.AdamW(0.1 * scale, weight_decay=0.2))
        for scale in {*scales.values(), 1.0}
    }
    seen = set()
    for index, variable in enumerate(variables):
        parts = [part for part in variable.path.split("/") if part in scales]
        scale = scales[parts[0]] if parts else 1.0
        seen.add(scale)
        np.testing.assert_allclose(found[index], plain[scale][index], atol=1e-5)
    assert seen == set(plain)


def test_fine_tuning_schedule_and_config():
    optimizer = fine_tuning_optimizer(100, 12, learning_rate=2e-3)
    assert rate(optimizer, 0) == 0
    assert rate(optimizer, 10) == pytest.approx(2e-3, rel=1e-5)
    assert rate(optimizer, 100) == pytest.approx(0, abs=1e-9)
    config = keras.optimizers.serialize(optimizer)
    revived = keras.optimizers.deserialize(config)
    assert (revived.layer_decay, revived.num_layers) == (0.75, 12)


def test_fine_tuning_optimizer_refuses_what_is_out_of_range():
    with pytest.raises(ValueError, match="`steps` must be positive. Received: 0"):
        fine_tuning_optimizer(0, 12)
    with pytest.raises(ValueError, match="`warmup_fraction` .* Received: 2"):
        fine_tuning_optimizer(10, 12, warmup_fraction=2)
    with pytest.raises(ValueError, match="`layer_decay` .* Received: 0"):
        LayerDecayAdamW(layer_decay=0)
    with pytest.raises(ValueError, match="`num_layers` .* Received: 0"):
        LayerDecayAdamW(num_layers=0)
