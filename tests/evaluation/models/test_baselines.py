"""`logmel` and `hear-naive` against their definitions."""

import numpy as np
import pytest

from keras_axlstm.audio import log_mel_spectrogram, resample
from keras_axlstm.evaluation.models import open_model
from keras_axlstm.evaluation.models.slaney_mel import slaney_mel_filters
from tests.support.tolerances import SAME_FORMULA, relative_error


def noise(samples):
    return np.random.default_rng(samples).uniform(-1, 1, samples).astype("float32")


@pytest.mark.parametrize("spec", ["logmel", "hear-naive"])
def test_a_clip_does_not_depend_on_the_others(spec):
    model = open_model(spec)
    clips = [noise(9000), noise(400), noise(1)]
    together = model.scenes(clips)
    for clip, scene in zip(clips, together, strict=True):
        np.testing.assert_array_equal(open_model(spec).scenes([clip])[0], scene)
    assert open_model(spec).identity == model.identity
    assert open_model("logmel").identity != open_model("hear-naive").identity


def test_logmel_is_the_statistics_of_its_frames():
    model = open_model("logmel")
    frames, times_ms = model.timestamps([noise(9000)])[0]
    np.testing.assert_array_equal(frames, log_mel_spectrogram(noise(9000)))
    np.testing.assert_allclose(times_ms, 10.0 * np.arange(57))
    mean = frames.sum(axis=0, dtype="float64") / 57
    deviation = np.sqrt(((frames - mean) ** 2).sum(axis=0) / 57)
    scene = model.scenes([noise(9000)])[0]
    assert relative_error(scene, np.concatenate([mean, deviation])) <= SAME_FORMULA


def naive_frame(clip, centre):
    """One frame of the naive baseline, from its definition."""
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(4096) / 4096))
    stretch = np.zeros(4096)
    for index in range(4096):
        position = centre - 2048 + index
        if 0 <= position < clip.size:
            stretch[index] = clip[position]
    power = np.abs(np.fft.fft(stretch * window)[:2049]) ** 2
    projection = np.random.default_rng(0).uniform(0, 1 / 16, (256, 4096))
    return np.log(power @ slaney_mel_filters(44100, 4096, 256) + 1e-4) @ projection


def test_hear_naive_is_its_definition():
    model = open_model("hear-naive")
    clip = resample(noise(8000), 16000, 44100)
    frames, times_ms = model.timestamps([noise(8000)])[0]
    np.testing.assert_allclose(times_ms, 50.0 * np.arange(11))
    for index in (0, 1, 10):
        assert relative_error(frames[index], naive_frame(clip, 2205 * index)) <= SAME_FORMULA
    expected = np.mean([naive_frame(clip, 11025 * index) for index in range(3)], axis=0)
    assert relative_error(model.scenes([noise(8000)])[0], expected) <= SAME_FORMULA


def test_slaney_bands():
    """Known points of the scale: 15 mel are 1 kHz, and 27 mel more are 6.4 kHz."""
    # 84 bands up to 69 mel have their 85 edges at whole mels if 69 mel are half the rate.
    top = 1000 * 6.4 ** ((69 - 15) / 27)
    rate = 2 * top
    filters = slaney_mel_filters(rate, 8192, 68)
    frequency = np.linspace(0, top, 4097)
    peaks = frequency[filters.argmax(axis=0)]
    step = frequency[1]
    mels = np.arange(1, 69)
    expected = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    assert np.abs(peaks - expected).max() <= step
    areas = filters.sum(axis=0) * step
    np.testing.assert_allclose(areas, 1.0, atol=0.1)
    assert filters.min() == 0.0
