"""The HEAR module: its embeddings are the embedder's, its tensors those of the caller."""

import importlib.util

import keras
import numpy as np
import pytest

from keras_axlstm import hear
from keras_axlstm.models import AudioEmbedder
from tests.support.small_preset import save_small_preset
from tests.support.tolerances import SAME_FORMULA, relative_error

LIBRARY = "tensorflow" if keras.backend.backend() == "tensorflow" else "torch"


def tensor(array):
    if LIBRARY == "tensorflow":
        import tensorflow as tf

        return tf.convert_to_tensor(array)
    import torch

    return torch.from_numpy(np.array(array))


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("preset"))


@pytest.fixture(scope="module")
def model(preset):
    return hear.load_model(str(preset))


@pytest.fixture(scope="module")
def embedder(preset):
    return AudioEmbedder.from_preset(preset)


def test_the_model_is_a_module_of_the_library(model):
    if LIBRARY == "tensorflow":
        import tensorflow as tf

        assert isinstance(model, tf.Module)
    else:
        import torch

        assert isinstance(model, torch.nn.Module)
        moved = model.to("cpu")
        assert moved is model
        holds_weights = keras.backend.backend() == "torch"
        assert bool(list(model.parameters())) == holds_weights
    for size in (model.sample_rate, model.scene_embedding_size, model.timestamp_embedding_size):
        assert type(size) is int
    assert (model.sample_rate, model.scene_embedding_size) == (16000, 80)


def test_scenes_are_the_embedders(model, embedder):
    audio = noise(3, 9000)
    scenes = hear.get_scene_embeddings(tensor(audio), model)
    assert type(scenes) is type(tensor(audio))
    assert scenes.numpy().dtype == np.float32
    assert relative_error(scenes.numpy(), embedder.embed(audio)) <= SAME_FORMULA
    again = hear.get_scene_embeddings(tensor(audio), model)
    np.testing.assert_array_equal(again.numpy(), scenes.numpy())
    np.testing.assert_array_equal(model(tensor(audio)).numpy(), scenes.numpy())


def test_timestamps_are_the_embedders_and_evenly_spaced(model, embedder):
    audio = noise(2, 20 * 16000 + 77)
    frames, times_ms = hear.get_timestamp_embeddings(tensor(audio), model)
    expected, expected_ms = embedder.embed_timestamps(audio)
    assert type(frames) is type(times_ms) is type(tensor(audio))
    assert relative_error(frames.numpy(), expected) <= SAME_FORMULA
    assert times_ms.shape == frames.shape[:2]
    np.testing.assert_allclose(times_ms.numpy(), np.stack([expected_ms] * 2))
    assert np.abs(np.diff(times_ms.numpy()) - 40).max() <= 1e-3
    assert times_ms.numpy().max() <= 1000 * 20.01


@pytest.mark.parametrize("shape", [(2, 3000), (10, 5), (1, 1)])
def test_audio_is_a_batch_whatever_it_looks_like(model, embedder, shape):
    """Two equal rows are no stereo recording, and ten of five samples no ten samples."""
    audio = np.broadcast_to(noise(shape[1]), shape).copy()
    scenes = hear.get_scene_embeddings(tensor(audio), model).numpy()
    assert scenes.shape == (shape[0], 80)
    assert relative_error(scenes[-1], embedder.embed(audio[0])) <= SAME_FORMULA


def test_options_reach_the_embedder(preset):
    model = hear.load_model(preset, normalization="none", one_pass=True)
    assert (model.embedder.normalization, model.embedder.one_pass) == ("none", True)


@pytest.mark.skipif(LIBRARY != "torch", reason="of PyTorch's tensors")
def test_a_tensor_with_gradients_is_taken(model):
    audio = tensor(noise(1, 2000)).requires_grad_()
    assert not hear.get_scene_embeddings(audio, model).requires_grad


def test_bad_input_is_refused(model):
    for audio in (noise(100), noise(2, 3, 4), noise(2, 0)):
        with pytest.raises(ValueError, match=r"must be a batch \(clips, samples\)"):
            hear.get_scene_embeddings(tensor(audio), model)
    with pytest.raises(ValueError, match="must be finite"):
        hear.get_timestamp_embeddings(tensor(np.full((1, 9), np.nan, "float32")), model)
    with pytest.raises(ValueError, match="Received: ndarray"):
        hear.get_scene_embeddings(noise(1, 100), model)
    with pytest.raises(ValueError, match="Received: object"):
        hear.get_scene_embeddings(tensor(noise(1, 100)), object())


def test_without_a_name_it_is_the_pretrained_tiny():
    model = hear.load_model()
    audio = noise(1, 3000)
    expected = AudioEmbedder.from_preset("axlstm_tiny").embed(audio)
    scenes = hear.get_scene_embeddings(tensor(audio), model).numpy()
    assert relative_error(scenes, expected) <= SAME_FORMULA


def test_presets_without_weights():
    with pytest.raises(ValueError, match="'ssast_base' has no pretrained weights"):
        hear.load_model("ssast_base")
    with pytest.raises(ValueError, match="Unknown preset"):
        hear.load_model("axlstm_huge")


@pytest.mark.parametrize(
    ("backend", "installed", "expected"),
    [
        ("torch", {"torch", "tensorflow"}, "torch"),
        ("tensorflow", {"torch", "tensorflow"}, "tensorflow"),
        ("jax", {"torch", "tensorflow"}, "torch"),
        ("jax", {"tensorflow"}, "tensorflow"),
        ("jax", set(), None),
    ],
)
def test_the_library_is_the_backends_or_an_installed_one(monkeypatch, backend, installed, expected):
    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in installed or None)
    if expected:
        assert hear.api._tensor_library() == expected
    else:
        with pytest.raises(ImportError, match=r"keras-axlstm\[torch\]"):
            hear.api._tensor_library()
