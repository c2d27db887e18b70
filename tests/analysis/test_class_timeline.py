"""Scores along a clip, against one prediction a window."""

import numpy as np
import pytest

from keras_axlstm import AudioClassifier, AxLSTMAudioConverter, AxLSTMEncoder
from keras_axlstm.analysis import class_timeline
from keras_axlstm.models import AxLSTMAudioClassifierPreprocessor
from tests.support.tolerances import SAME_FORMULA, relative_error

RATE = 16000


@pytest.fixture(scope="module")
def classifier():
    encoder = AxLSTMEncoder(
        spectrogram_shape=(40, 16), patch_size=(4, 8), hidden_dim=16, num_layers=1, num_heads=2
    )
    converter = AxLSTMAudioConverter(num_mel_bins=16)
    return AudioClassifier(
        encoder,
        class_names=["low", "high"],
        preprocessor=AxLSTMAudioClassifierPreprocessor(converter),
    )


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(1.0, [0.0, 0.2, 0.4, 0.6]), (1.1, [0.0, 0.2, 0.4, 0.6, 0.7]), (0.4, [0.0]), (0.3, [0.0])],
)
def test_each_window_is_a_clip_of_its_own(classifier, seconds, starts):
    waveform = np.random.default_rng(0).normal(size=round(seconds * RATE)) * 0.1
    timeline = class_timeline(classifier, waveform, window_seconds=0.4, hop_seconds=0.2)
    length = min(0.4, seconds)
    np.testing.assert_allclose(timeline.times_ms, 1000 * (np.array(starts) + length / 2), atol=0.1)
    for start, score in zip(starts, timeline.scores, strict=True):
        first = round(start * RATE)
        alone = classifier.predict([waveform[first : first + round(0.4 * RATE)]], verbose=0)[0]
        assert relative_error(score, alone) < SAME_FORMULA
    assert timeline.class_names == ["low", "high"]


def test_another_rate_is_resampled(classifier):
    tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    timeline = class_timeline(classifier, tone, sampling_rate=44100, window_seconds=0.5)
    np.testing.assert_allclose(timeline.times_ms, [250, 500, 750], atol=0.1)


def test_bad_arguments_are_named(classifier):
    with pytest.raises(ValueError, match="must be positive. Received: 0 and 0.25"):
        class_timeline(classifier, np.zeros(100), window_seconds=0)
    with pytest.raises(ValueError, match="one clip. Received: a batch of 3"):
        class_timeline(classifier, np.random.default_rng(0).normal(size=(3, 16000)))
