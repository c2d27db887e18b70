"""The encoder for X-ARES: what its checker asks for, and the checker where it is installed."""

import importlib.util

import keras
import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder
from tests.support.small_preset import save_small_preset
from tests.support.tolerances import SAME_FORMULA, relative_error

if keras.backend.backend() == "tensorflow":
    pytest.skip("X-ARES is for PyTorch", allow_module_level=True)


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("preset"))


@pytest.fixture
def encoder(preset, monkeypatch):
    """Made as X-ARES does: the one name of the module that ends so, without arguments."""
    from keras_axlstm.evaluation.adapters import xares_encoder

    monkeypatch.setenv("KERAS_AXLSTM_PRESET", str(preset))
    (name,) = [name for name in dir(xares_encoder) if name.endswith("Encoder")]
    return getattr(xares_encoder, name)()


def test_it_has_what_xares_reads(encoder):
    assert (encoder.sampling_rate, encoder.output_dim) == (16000, 80)
    assert encoder.hop_size_in_ms == 40.0


def test_frames_are_the_embedders(encoder, preset):
    import torch

    audio = np.random.default_rng(0).uniform(-1, 1, (2, 9000)).astype("float32")
    expected, _ = AudioEmbedder.from_preset(preset).embed_timestamps(audio)
    with torch.inference_mode():
        frames = encoder(torch.from_numpy(audio))
        one = encoder(torch.from_numpy(audio[0]))
    assert relative_error(frames.numpy(), expected) <= SAME_FORMULA
    assert relative_error(one.numpy(), expected[:1]) <= SAME_FORMULA


@pytest.mark.skipif(importlib.util.find_spec("xares") is None, reason="X-ARES is not installed")
@pytest.mark.filterwarnings("default")
def test_the_checker_of_xares(encoder):
    from xares.audio_encoder_checker import check_audio_encoder

    assert check_audio_encoder(encoder)
