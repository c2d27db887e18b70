"""Pretraining that begins with the weights of a preset."""

import shutil

import numpy as np
import pytest

from keras_axlstm.models import (
    AudioEmbedder,
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    MaskedSpectrogramModel,
)
from keras_axlstm.training import PretrainConfig
from keras_axlstm.training.initial_weights import load_initial_weights
from tests.training.runs import assert_same_run, pretrain_small, weights

# So small a rate that the weights stay what they are, to float32.
STILL = {"steps": 1, "learning_rate": 1e-12, "weight_decay": 0.0}


def new_model(seed=0, **options):
    """As `small_encoder`, with weights of its own."""
    encoder = AxLSTMEncoder((40, 80), (4, 16), 16, num_layers=1, **options)
    model = MaskedSpectrogramModel(encoder)
    generator = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(generator.normal(scale=0.1, size=weight.shape))
    return model


@pytest.fixture
def preset(tmp_path):
    new_model().save_to_preset(tmp_path / "preset")
    return tmp_path / "preset"


def test_a_run_begins_with_all_weights_of_the_preset(tmp_path, preset):
    pretrain_small(tmp_path / "output", initial_preset=preset, **STILL)
    expected, received = weights(preset), weights(tmp_path / "output")
    assert received.keys() == expected.keys() and "mask_token" in expected
    for name, array in expected.items():
        np.testing.assert_allclose(received[name], array, rtol=0, atol=1e-9, err_msg=name)


def test_a_paused_run_goes_on_without_the_preset(tmp_path, preset):
    one, two = tmp_path / "one", tmp_path / "two"
    pretrain_small(one, initial_preset=preset)
    moved = shutil.copytree(preset, tmp_path / "moved")
    assert not pretrain_small(two, initial_preset=moved, minutes=1e-9).finished
    shutil.rmtree(moved)
    pretrain_small(two, resume=True, initial_preset=moved)
    (two / "pretrain.toml").write_text((one / "pretrain.toml").read_text())
    assert_same_run(one, two)


def test_the_front_end_of_the_preset_stays(tmp_path, preset):
    AxLSTMAudioConverter(dynamic_range=30.0).save_to_preset(str(preset))
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    pretrain_small(one, initial_preset=preset)
    pretrain_small(three, initial_preset=preset, dynamic_range=40.0)
    assert AudioEmbedder.from_preset(one).dynamic_range == 30.0
    assert AudioEmbedder.from_preset(three).dynamic_range == 40.0
    assert PretrainConfig.load(one / "pretrain.toml").dynamic_range == 30.0
    pretrain_small(two, initial_preset=preset, minutes=1e-9)
    (preset / "audio_converter.json").unlink()
    pretrain_small(two, resume=True, initial_preset=preset)
    assert_same_run(one, two)


@pytest.mark.parametrize(
    ("options", "difference"),
    [({"flip": True}, "flip True, not False"), ({"expansion_factor": 2}, "expansion_factor 2")],
)
def test_another_architecture_is_refused(tmp_path, options, difference):
    new_model(**options).save_to_preset(tmp_path / "other")
    with pytest.raises(ValueError, match=f"other has {difference}.*name another preset"):
        pretrain_small(tmp_path / "output", initial_preset=tmp_path / "other")
    assert not (tmp_path / "output").exists()


def test_an_encoder_alone_is_refused(tmp_path):
    new_model().encoder.save_to_preset(tmp_path / "encoder")
    with pytest.raises(ValueError, match="Missing: .*masked_spectrogram_model"):
        pretrain_small(tmp_path / "output", initial_preset=tmp_path / "encoder")


def test_names_without_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match="ssast_base"):
        pretrain_small(tmp_path / "output", initial_preset="ssast_base")
    with pytest.raises(ValueError, match="Unknown preset: expected .*Received: 'nowhere'"):
        pretrain_small(tmp_path / "output", initial_preset="nowhere")
    assert not (tmp_path / "output").exists()
    with pytest.raises(ValueError, match="ssast_base"):
        load_initial_weights(new_model(), "ssast_base")


def test_half_precision_computes_with_weights_in_float32(tmp_path, preset):
    options = {"initial_preset": preset, "precision": "mixed_bfloat16", **STILL}
    pretrain_small(tmp_path / "output", **options)
    for name, array in weights(tmp_path / "output").items():
        np.testing.assert_allclose(array, weights(preset)[name], rtol=0, atol=1e-9, err_msg=name)
