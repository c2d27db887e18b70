"""The graph that is exported gives the numbers of the embedder and the classifier."""

import keras
import numpy as np
import pytest

from keras_axlstm.export import WaveformModel
from keras_axlstm.models import (
    AudioClassifier,
    AudioEmbedder,
    AxLSTMAudioClassifierPreprocessor,
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    SSASTEncoder,
)

TOLERANCE = 1e-3
SHORT = {"spectrogram_shape": (40, 80), "patch_size": (4, 16), "hidden_dim": 16, "num_layers": 2}


def small_encoder(cls=AxLSTMEncoder, **kwargs):
    return cls(**SHORT, num_heads=2, **kwargs)


def small_classifier(encoder=None):
    return AudioClassifier(
        encoder or small_encoder(),
        num_classes=3,
        pooling="attention",
        preprocessor=AxLSTMAudioClassifierPreprocessor(AxLSTMAudioConverter()),
    )


def waves(clips: int, samples: int) -> np.ndarray:
    """A tone in noise, a new one for each clip."""
    rng = np.random.default_rng(samples)
    tone = np.sin(np.arange(samples) * rng.uniform(0.05, 1.0, (clips, 1)))
    return (0.2 * tone + rng.normal(scale=0.02, size=(clips, samples))).astype("float32")


def assert_close(actual, expected):
    actual = keras.ops.convert_to_numpy(actual)
    assert actual.dtype == np.float32 and actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("samples", [1, 150, 6240, 6400, 20007])
@pytest.mark.parametrize(
    "options",
    [
        {"normalization": "clip"},
        {"normalization": "clip", "dynamic_range": 10.0},
        {"normalization": "none", "dynamic_range": 10.0},  # with its frame order
        {"normalization": "dataset", "mean": -6.0, "std": 3.0, "one_pass": True},
    ],
)
def test_embeddings(options, samples):
    embedder = AudioEmbedder(small_encoder(flip=True), **options)
    clips = waves(2, samples)
    assert_close(WaveformModel(embedder)(clips), embedder.embed(clips))
    frames, _ = embedder.embed_timestamps(clips)
    assert_close(WaveformModel(embedder, "timestamps")(clips), frames)


@pytest.mark.parametrize("samples", [400, 20007])
def test_scores(samples):
    classifier, clips = small_classifier(), waves(2, samples)
    assert_close(WaveformModel(classifier, "scores")(clips), classifier.predict(clips, verbose=0))


def test_ssast():
    embedder, clips = AudioEmbedder(small_encoder(SSASTEncoder)), waves(1, 9000)
    assert_close(WaveformModel(embedder)(clips), embedder.embed(clips))


def test_a_model_in_half_precision_is_computed_in_float32():
    half = small_encoder(dtype="mixed_bfloat16")
    full = small_encoder()
    full.set_weights(half.get_weights())
    clips = waves(1, 9000)
    expected = AudioEmbedder(full).embed(clips)
    assert_close(WaveformModel(AudioEmbedder(half))(clips), expected)
    classifier, half_classifier = small_classifier(full), small_classifier(half)
    classifier.set_weights(half_classifier.get_weights())
    assert_close(
        WaveformModel(half_classifier, "scores")(clips), classifier.predict(clips, verbose=0)
    )


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        (lambda: AudioEmbedder(small_encoder()), "scores", "needs an AudioClassifier"),
        (small_classifier, "scene", "needs an AudioEmbedder"),
        (small_classifier, "best", "must be one of scene, timestamps, scores"),
        (small_encoder, "scene", "must be an AudioEmbedder or an AudioClassifier"),
    ],
)
def test_kinds_that_do_not_fit(model, kind, message):
    with pytest.raises(ValueError, match=message):
        WaveformModel(model(), kind)


def test_a_quantized_model_is_refused():
    encoder = small_encoder()
    encoder.quantize("int8")
    with pytest.raises(ValueError, match="quantized model cannot be exported"):
        WaveformModel(AudioEmbedder(encoder))
