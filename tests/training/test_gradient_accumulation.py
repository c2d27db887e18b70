"""Half batches whose gradients are averaged train as whole ones do."""

import keras
import numpy as np
import pytest

from keras_axlstm.training import PretrainConfig, run
from keras_axlstm.training.schedule_by_updates import ScheduleByUpdates
from tests.training.runs import small_encoder

STEPS = 4


def train(monkeypatch, parts):
    """Losses of the steps and final weights, of 4 steps of 32 spectrograms in parts."""
    monkeypatch.setattr(run, "new_encoder", small_encoder)
    config = PretrainConfig(
        source="",
        output="",
        steps=STEPS,
        batch_size=32,
        gradient_accumulation=parts,
        warmup=0.25,
        weight_decay=10.0,  # So strong that a decay at each part would show.
    )
    keras.utils.set_random_seed(0)
    model = run.new_model(config)
    length = run.run_length(config, clips=64)
    model.compile(run.new_optimizer(config, length))
    rng = np.random.default_rng(0)
    spectrograms = rng.normal(size=(32 * STEPS, 40, 80)).astype("float32")
    losses = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda row, logs: losses.append(logs))
    model.fit(
        iter_batches(spectrograms, 32 // parts),
        epochs=STEPS,
        steps_per_epoch=parts,
        shuffle=False,
        verbose=0,
        callbacks=[record],
    )
    return losses, [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]


def iter_batches(spectrograms, size):
    for start in range(0, len(spectrograms), size):
        yield (spectrograms[start : start + size],)
    while True:  # Keras reads ahead.
        yield (spectrograms[:size],)


@pytest.fixture
def same_masks(monkeypatch):
    """Every example has the same mask, however the batch is cut."""
    mask = np.random.default_rng(1).permutation(50).reshape(1, 50) < 25

    def draw(self, batch, count):
        return keras.ops.repeat(keras.ops.convert_to_tensor(mask.astype("float32")), batch, axis=0)

    monkeypatch.setattr("keras_axlstm.layers.patch_masking.PatchMasking.draw", draw)


def test_parts_train_as_the_whole_batch(monkeypatch, same_masks):
    whole_losses, whole = train(monkeypatch, 1)
    losses, weights = train(monkeypatch, 2)
    for expected, received in zip(whole_losses, losses, strict=True):
        assert received["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    for expected, received in zip(whole, weights, strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def test_the_schedule_counts_updates():
    inner = keras.optimizers.schedules.CosineDecay(1.0, decay_steps=10)
    schedule = ScheduleByUpdates(inner, 3)
    same = ScheduleByUpdates.from_config(schedule.get_config())
    for batch in range(12):
        assert float(schedule(batch)) == float(same(batch)) == float(inner(batch // 3))


def test_loss_scaling_comes_with_float16_alone(monkeypatch):
    monkeypatch.setattr(run, "new_encoder", small_encoder)
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        config = PretrainConfig(source="", output="", steps=1, precision=precision)
        model = run.new_model(config)
        model.compile(run.new_optimizer(config, run.run_length(config, clips=4)))
        is_scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert is_scaled == (precision == "mixed_float16")
