"""Models of transformers, tiny and random, against transformers itself."""

import numpy as np
import pytest

from keras_axlstm.evaluation.models import open_model
from tests.support.tolerances import BACKENDS_AGREE, relative_error

transformers = pytest.importorskip("transformers")

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
# Frames of 10 + 2 x 80 samples every 320.
CONVOLUTIONS = {
    "conv_dim": (8, 8),
    "conv_kernel": (10, 3),
    "conv_stride": (80, 4),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
CLIPS = [
    np.random.default_rng(n).uniform(-1, 1, n).astype("float32") for n in (16000, 9000, 16000, 50)
]
# In PyTorch, of WavLM's attention under a padding mask.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")


def save_speech(folder, family, norm):
    import torch

    torch.manual_seed(0)
    config_class = getattr(transformers, f"{family}Config")
    config = config_class(
        **SIZES, **CONVOLUTIONS, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer"
    )
    model = getattr(transformers, f"{family}Model")(config).eval()
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer")
    for part in (model, extractor):
        part.save_pretrained(folder)
    return model


def save_ast(folder):
    import torch

    torch.manual_seed(0)
    config = transformers.ASTConfig(**SIZES, max_length=64, num_mel_bins=32)
    model = transformers.ASTModel(config).eval()
    extractor = transformers.ASTFeatureExtractor(max_length=64, num_mel_bins=32)
    for part in (model, extractor):
        part.save_pretrained(folder)
    return model, extractor


@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("family", ["Wav2Vec2", "WavLM", "Hubert"])
def test_speech_families_are_the_mean_of_the_last_hidden_state(tmp_path, family, norm):
    import torch

    original = save_speech(tmp_path, family, norm)
    model = open_model(f"transformers:{tmp_path}")
    scenes, frames = model.scenes(CLIPS), model.timestamps(CLIPS)
    for clip, scene, (hidden, times_ms) in zip(CLIPS, scenes, frames, strict=True):
        # 170 samples are needed for a frame; the extractor shifts and scales each clip.
        padded = np.pad(clip, (0, max(0, 170 - clip.size)))
        normed = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
        with torch.no_grad():
            expected = original(torch.from_numpy(normed)[None]).last_hidden_state[0].numpy()
        assert relative_error(hidden, expected) <= BACKENDS_AGREE
        assert relative_error(scene, expected.mean(axis=0)) <= BACKENDS_AGREE
        np.testing.assert_allclose(times_ms, 20.0 * np.arange(len(expected)))
    assert model.identity == open_model(f"transformers:{tmp_path}").identity


def test_ast_is_the_mean_over_the_patches_of_a_time_step(tmp_path):
    import torch

    original, extractor = save_ast(tmp_path)
    model = open_model(f"transformers:{tmp_path}")
    # Five time steps of 100 ms in what the model reads: a clip of 1 s is two stretches.
    for clip, (frames, times_ms) in zip(CLIPS, model.timestamps(CLIPS), strict=True):
        expected = []
        for start in range(0, clip.size, 8000):
            part = np.pad(clip[start : start + 8000], (0, max(0, 400 - clip.size)))
            inputs = extractor(part, sampling_rate=16000, return_tensors="pt")
            with torch.no_grad():
                hidden = original(**inputs).last_hidden_state[0, 2:]
            expected.append(hidden.numpy().reshape(2, 5, 16).mean(axis=0))
        steps = -(-clip.size // 1600)
        assert relative_error(frames, np.concatenate(expected)[:steps]) <= BACKENDS_AGREE
        np.testing.assert_allclose(times_ms, 100.0 * np.arange(steps))
    scenes = [frames.mean(axis=0) for frames, _ in model.timestamps(CLIPS)]
    assert relative_error(model.scenes(CLIPS), np.stack(scenes)) <= BACKENDS_AGREE


def test_what_is_not_such_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="transformers finds no model"):
        open_model(f"transformers:{tmp_path / 'none'}")
    config = transformers.BertConfig(num_hidden_layers=1)
    config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="wav2vec2, wavlm, hubert.*which is of 'bert'"):
        open_model(f"transformers:{tmp_path}")
