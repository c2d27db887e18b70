"""Presets in 8 and in 16 bits."""

import keras_hub
import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder, AxLSTMEncoder, SpectrogramEncoder, SSASTEncoder

SHAPE = {"spectrogram_shape": (40, 80), "patch_size": (4, 16), "hidden_dim": 64, "num_layers": 2}


def embed(encoder) -> np.ndarray:
    noise = np.random.default_rng(0).normal(scale=0.1, size=(2, 9000)).astype("float32")
    return AudioEmbedder(encoder).embed(noise)


def cosines(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(actual, axis=1) * np.linalg.norm(expected, axis=1)
    return (actual * expected).sum(axis=1) / norms


def weights_size(preset) -> int:
    return (preset / "model.weights.h5").stat().st_size


@pytest.mark.parametrize("cls", [AxLSTMEncoder, SSASTEncoder])
def test_a_quantized_encoder_is_kept_in_its_preset(tmp_path, cls):
    encoder = cls(**SHAPE, num_heads=2)
    expected = embed(encoder)
    encoder.save_to_preset(tmp_path / "float32")
    encoder.quantize("int8")
    quantized = embed(encoder)
    assert (quantized != expected).any() and cosines(quantized, expected).min() >= 0.99
    encoder.save_to_preset(tmp_path / "int8")
    assert weights_size(tmp_path / "int8") < 0.7 * weights_size(tmp_path / "float32")
    loaded = SpectrogramEncoder.from_preset(tmp_path / "int8")
    assert all(block.quantization_mode is None for block in loaded.blocks)
    assert loaded.patch_embedding.projection.quantization_mode == "int8"
    np.testing.assert_allclose(embed(loaded), quantized, rtol=0, atol=1e-5)


def test_a_float16_preset_is_half_as_large_and_computes_in_float32(tmp_path):
    encoder = AxLSTMEncoder(**SHAPE)
    encoder.save_to_preset(tmp_path / "float32")
    half = AxLSTMEncoder.from_preset(tmp_path / "float32", dtype="float16")
    half.save_to_preset(tmp_path / "float16")
    assert weights_size(tmp_path / "float16") < 0.6 * weights_size(tmp_path / "float32")
    for cls in (AxLSTMEncoder, keras_hub.models.Backbone):
        loaded = cls.from_preset(str(tmp_path / "float16"))
        assert loaded.compute_dtype == loaded.variable_dtype == "float32"
        for weight, original in zip(loaded.weights, encoder.weights, strict=True):
            rounded = original.numpy().astype("float16").astype("float32")
            np.testing.assert_array_equal(weight.numpy(), rounded)
    asked = AxLSTMEncoder.from_preset(tmp_path / "float16", dtype="float16")
    assert asked.compute_dtype == "float16"
