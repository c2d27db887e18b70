"""Which models a text can name, and presets among them."""

import sys

import keras
import numpy as np
import pytest

from keras_axlstm.evaluation.models import open_model
from keras_axlstm.models import AudioEmbedder, SpectrogramEncoder
from tests.support.small_preset import save_small_preset
from tests.support.tolerances import SAME_FORMULA, relative_error

CLIPS = [np.random.default_rng(i).uniform(-1, 1, n) for i, n in enumerate((9000, 3000, 9000))]


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("preset"))


def test_a_preset_gives_the_embedders_embeddings(preset):
    model, embedder = open_model(preset), AudioEmbedder.from_preset(preset)
    assert (model.name, model.embedding_dim) == (preset.name, 80)
    assert relative_error(model.scenes(CLIPS), embedder.embed(CLIPS)) <= SAME_FORMULA
    for clip, (frames, times_ms) in zip(CLIPS, model.timestamps(CLIPS), strict=True):
        expected, expected_ms = embedder.embed_timestamps(clip)
        assert relative_error(frames, expected) <= SAME_FORMULA
        np.testing.assert_array_equal(times_ms, expected_ms)


def test_the_identity_is_of_all_that_matters_and_nothing_else(preset, tmp_path):
    identity = open_model(preset).identity
    keras.utils.set_random_seed(9)
    SpectrogramEncoder.from_preset(preset).save_to_preset(str(tmp_path / "copy"))
    assert open_model(preset).identity == identity
    # Without a converter the normalisation is that of the embedder: the same here.
    assert open_model(tmp_path / "copy").identity == identity
    others = [open_model(preset, normalization="none"), open_model(preset, one_pass=True)]
    others.append(open_model(preset, frame_order="official"))
    encoder = SpectrogramEncoder.from_preset(preset)
    encoder.norm.beta.assign(encoder.norm.beta + 1e-6)
    encoder.save_to_preset(str(tmp_path / "changed"))
    others.append(open_model(tmp_path / "changed"))
    assert len({identity, *(model.identity for model in others)}) == 5


def test_random_presets_differ_by_seed_alone():
    first, same, other = (
        open_model(f"random:ssast_tiny{seed}").identity for seed in ("", ":0", ":1")
    )
    assert first == same != other


@pytest.mark.parametrize(
    "spec",
    ["", "logmle", "logmel:80", "hear-naive:x", "hear:", "transformers:", "no/such/folder", "x:y"],
)
def test_other_texts_are_refused_with_what_is_possible(spec):
    with pytest.raises(ValueError, match=r"Unknown model.*axlstm_tiny.*hear:MODULE.*hear-naive"):
        open_model(spec)


def test_a_preset_without_weights_and_options_out_of_place_are_refused():
    with pytest.raises(ValueError, match="has no pretrained weights"):
        open_model("ssast_base")
    with pytest.raises(ValueError, match=r"logmel takes no options. Received: \['one_pass'\]"):
        open_model("logmel", one_pass=True)


def test_missing_packages_are_named(monkeypatch):
    with pytest.raises(ImportError, match="HEAR module no_such_module cannot be imported"):
        open_model("hear:no_such_module")
    with pytest.raises(ValueError, match="Received: json without load_model"):
        open_model("hear:json")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "transformers", raising=False)
    with pytest.raises(ImportError, match=r"keras-axlstm\[transformers,torch\]"):
        open_model("transformers:facebook/wav2vec2-base")
