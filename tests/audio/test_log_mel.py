import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.audio import log_mel_spectrogram
from tests.audio.log_mel_cases import (
    GOLDEN_NAMES,
    assert_equals_golden,
    golden_wave,
    hard_waves,
    oracle,
)
from tests.support.tolerances import SAME_FORMULA


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_golden(name):
    assert_equals_golden(log_mel_spectrogram(golden_wave(name)), name)


@pytest.mark.parametrize("name", ["chirp", *hard_waves()])
def test_equals_the_definition(name):
    wave = hard_waves()[name] if name in hard_waves() else golden_wave(name)[:8000]
    np.testing.assert_allclose(log_mel_spectrogram(wave), oracle(wave), rtol=0, atol=SAME_FORMULA)


@given(samples=st.integers(1, 700), seed=st.integers(0, 9))
def test_any_length(samples, seed):
    wave = np.random.default_rng(seed).uniform(-1, 1, samples).astype("float32")
    log_mel = log_mel_spectrogram(wave)
    assert log_mel.shape == (samples // 160 + 1, 80)
    np.testing.assert_allclose(log_mel, oracle(wave), rtol=0, atol=SAME_FORMULA)


@pytest.mark.parametrize(
    ("bands", "window", "hop", "rate"),
    [(40, 512, 128, 16000), (64, 1024, 441, 44100), (8, 100, 30, 8000)],
)
def test_other_arguments(bands, window, hop, rate):
    wave = np.random.default_rng(0).uniform(-1, 1, 3000)
    log_mel = log_mel_spectrogram(
        wave,
        sampling_rate=rate,
        num_mel_bins=bands,
        window_length=window,
        hop_length=hop,
        max_frequency=rate / 2,
    )
    expected = oracle(wave.astype("float32"), bands, window, hop, rate)
    np.testing.assert_allclose(log_mel, expected, rtol=0, atol=SAME_FORMULA)


def test_integer_pcm_is_scaled():
    pcm = np.random.default_rng(0).integers(-20000, 20000, 2000).astype("int16")
    np.testing.assert_array_equal(log_mel_spectrogram(pcm), log_mel_spectrogram(pcm / 32768))


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("sampling_rate", 0, "`sampling_rate` must be a positive integer"),
        ("sampling_rate", 22050.5, "`sampling_rate` must be a positive integer"),
        ("num_mel_bins", 0, "`num_mel_bins` must be a positive integer"),
        ("num_mel_bins", 300, "hold none"),
        ("window_length", 401, "positive even integer"),
        ("window_length", 0, "positive even integer"),
        ("hop_length", 0, "`hop_length` must be a positive integer"),
        ("min_frequency", -1.0, "0 <= min_frequency < max_frequency"),
        ("min_frequency", 8000.0, "0 <= min_frequency < max_frequency"),
        ("max_frequency", 8001.0, "max_frequency=8001.0"),
    ],
)
def test_bad_arguments(argument, value, message):
    with pytest.raises(ValueError, match=message):
        log_mel_spectrogram(np.zeros(1000), **{argument: value})


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (np.zeros((2, 1000)), r"mix stereo down with `.mean\(axis=0\)`"),
        (np.zeros(0), "at least one sample"),
        (np.array([0.0, np.nan]), "first at index 1"),
    ],
)
def test_bad_waveforms(wave, message):
    with pytest.raises(ValueError, match=message):
        log_mel_spectrogram(wave)
