"""Random weights from NumPy: the initializers' distributions, one set of numbers."""

import threading

import keras
import numpy as np
import pytest

import keras_axlstm
from keras_axlstm.models.open_embedder import open_embedder
from keras_axlstm.models.random_weights import numpy_random_weights, zeros_for_random_weights
from tests.support.tolerances import BACKENDS_AGREE, relative_error


def build(*layers):
    return keras.Sequential([keras.Input((6,)), *layers])


def test_the_numbers_are_numpys_in_the_order_of_building():
    normal = keras.initializers.RandomNormal(mean=1.0, stddev=0.5)
    uniform = keras.initializers.RandomUniform(-2.0, 3.0)
    with numpy_random_weights(7):
        model = build(
            keras.layers.Dense(4), keras.layers.Dense(2, bias_initializer=uniform),
            keras.layers.Dense(3, kernel_initializer=normal, bias_initializer="ones"),
        )  # fmt: skip
    generator = np.random.default_rng(7)
    limits = np.sqrt(6 / (6 + 4)), np.sqrt(6 / (4 + 2))
    expected = [
        generator.uniform(-limits[0], limits[0], (6, 4)),
        np.zeros(4),
        generator.uniform(-limits[1], limits[1], (4, 2)),
        generator.uniform(-2, 3, 2),
        generator.normal(1, 0.5, (2, 3)),
        np.ones(3),
    ]
    for weight, values in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(weight, values, rtol=1e-6)


def test_afterwards_all_is_as_before():
    original = keras.Layer.add_weight
    with pytest.raises(ValueError, match="Received: HeNormal"):
        with numpy_random_weights(0):
            build(keras.layers.Dense(1, kernel_initializer="he_normal"))
    assert keras.Layer.add_weight is original


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("random:axlstm_tiny", [-0.5728116, 0.4525912, 0.4096057]),
        ("random:ssast_tiny:3", [-1.3039930, 0.9443964, -0.8496667]),
    ],
)
def test_random_presets_are_the_same_on_every_backend(preset, expected):
    embedder = open_embedder(preset)
    scene = embedder.embed(np.random.default_rng(0).uniform(-1, 1, 16000))
    assert relative_error(scene[:3], expected) <= BACKENDS_AGREE


def test_the_seed_is_part_of_the_name():
    def weights(name):
        return np.concatenate([w.ravel() for w in open_embedder(name).encoder.get_weights()])

    first = weights("random:ssast_tiny")
    np.testing.assert_array_equal(weights("random:ssast_tiny:0"), first)
    assert np.abs(weights("random:ssast_tiny:1") - first).max() > 0.01
    with pytest.raises(ValueError, match="whole number as the seed"):
        open_embedder("random:ssast_tiny:one")
    with pytest.raises(ValueError, match="Unknown preset"):
        open_embedder("random:huge")


def test_zeros_stand_where_weights_are_random():
    with zeros_for_random_weights():
        model = build(keras.layers.Dense(4, bias_initializer="ones"), keras.layers.Dense(2))
    for weight, value in zip(model.get_weights(), [0, 1, 0, 0], strict=True):
        np.testing.assert_array_equal(weight, np.full_like(weight, value))


def test_another_thread_builds_as_ever():
    models = []
    with zeros_for_random_weights():
        thread = threading.Thread(target=lambda: models.append(build(keras.layers.Dense(4))))
        thread.start()
        thread.join()
        models.append(build(keras.layers.Dense(4)))
    assert [bool(np.any(model.get_weights()[0])) for model in models] == [True, False]


def test_no_weight_of_a_loaded_encoder_is_left_at_zero(tmp_path):
    saved = keras_axlstm.AxLSTMEncoder(hidden_dim=16, num_layers=2, num_heads=2)
    generator = np.random.default_rng(0)
    saved.set_weights([generator.normal(size=w.shape) for w in saved.get_weights()])
    saved.save_to_preset(tmp_path / "small")
    loaded = keras_axlstm.AxLSTMEncoder.from_preset(tmp_path / "small")
    for weight, expected in zip(loaded.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    afterwards = keras_axlstm.AxLSTMEncoder(hidden_dim=16, num_layers=1, num_heads=2)
    assert np.any(afterwards.patch_embedding.get_weights()[0])
