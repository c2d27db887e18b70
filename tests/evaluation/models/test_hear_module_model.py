"""HEAR modules of others, in both libraries."""

import importlib
import sys
from types import ModuleType

import numpy as np
import pytest

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models import open_model
from tests.support.small_preset import save_small_preset

LIBRARIES = ("torch", "tensorflow")


def fake_module(library, **attributes):
    """A HEAR module: scenes are a weight times the sum, frames are of 10 samples."""
    module = ModuleType("fake_hear")
    module.batches = []
    base = importlib.import_module(library)

    class Model(base.nn.Module if library == "torch" else base.Module):
        def __init__(self, weight):
            super().__init__()
            self.sample_rate = attributes.get("sample_rate", 16000)
            self.scene_embedding_size = attributes.get("scene_embedding_size", 1)
            self.timestamp_embedding_size = 10
            if library == "torch":
                self.weight = base.nn.Parameter(base.tensor(weight))
            else:
                self.weight = base.Variable(weight)

    def load_model(model_file_path="2"):
        return Model(float(model_file_path))

    def get_scene_embeddings(audio, model):
        module.batches.append(tuple(audio.shape))
        if library == "torch":
            assert not model.training
            return model.weight * audio.sum(dim=1, keepdim=True)
        return model.weight * base.reduce_sum(audio, axis=1, keepdims=True)

    def get_timestamp_embeddings(audio, model):
        clips, steps = audio.shape[0], audio.shape[1] // 10
        frames = base.reshape(audio[:, : 10 * steps], (clips, steps, 10))
        times_ms = np.tile(np.arange(steps, dtype="float32"), (clips, 1))
        convert = base.from_numpy if library == "torch" else base.convert_to_tensor
        return frames, convert(times_ms)

    functions = (load_model, get_scene_embeddings, get_timestamp_embeddings)
    vars(module).update({function.__name__: function for function in functions})
    return module


@pytest.fixture(params=LIBRARIES)
def install(request, monkeypatch):
    def install(**attributes):
        module = fake_module(request.param, **attributes)
        monkeypatch.setitem(sys.modules, "fake_hear", module)
        return module

    return install


CLIPS = [np.random.default_rng(n).uniform(-1, 1, n).astype("float32") for n in (50, 30, 50)]


def test_clips_of_one_length_go_together(install):
    module = install()
    model = open_model("hear:fake_hear")
    scenes = model.scenes(CLIPS)
    np.testing.assert_allclose(scenes[:, 0], [2 * clip.sum() for clip in CLIPS], rtol=1e-4)
    assert sorted(module.batches) == [(1, 30), (2, 50)]
    for clip, (frames, times_ms) in zip(CLIPS, model.timestamps(CLIPS), strict=True):
        np.testing.assert_array_equal(frames, clip.reshape(-1, 10))
        np.testing.assert_array_equal(times_ms, np.arange(len(frames)))


def test_other_rates_are_resampled(install):
    module = install(sample_rate=44100)
    scenes = open_model("hear:fake_hear").scenes([CLIPS[0]])
    expected = resample(CLIPS[0], 16000, 44100)
    assert module.batches == [(1, expected.size)]
    np.testing.assert_allclose(scenes[0, 0], 2 * expected.sum(), rtol=1e-4)


def test_weights_reach_the_module_and_the_identity(install):
    install()
    model = open_model("hear:fake_hear:3.5")
    np.testing.assert_allclose(model.scenes([np.ones(4)]), [[14.0]])
    assert model.name == "hear:fake_hear:3.5"
    others = [open_model("hear:fake_hear"), open_model("hear:fake_hear:4")]
    assert len({model.identity, *(other.identity for other in others)}) == 3
    assert open_model("hear:fake_hear:3.5").identity == model.identity


def test_models_that_break_the_interface_are_refused(install):
    install(scene_embedding_size=1.5)
    with pytest.raises(ValueError, match=r"positive integers.*\{'scene_embedding_size': 1.5\}"):
        open_model("hear:fake_hear")
    install(scene_embedding_size=2)
    with pytest.raises(ValueError, match=r"must give scene embeddings of shape \(1, 2\)"):
        open_model("hear:fake_hear").scenes([np.zeros(10)])

    class Other:
        sample_rate, scene_embedding_size, timestamp_embedding_size = 16000, 1, 10

    install().load_model = Other
    with pytest.raises(ValueError, match="Received: fake_hear with a Other"):
        open_model("hear:fake_hear")


def test_our_own_module(tmp_path):
    preset = save_small_preset(tmp_path / "preset")
    expected = open_model(preset)
    model = open_model(f"hear:keras_axlstm.hear:{preset}")
    np.testing.assert_allclose(model.scenes(CLIPS), expected.scenes(CLIPS), rtol=1e-4, atol=1e-5)
