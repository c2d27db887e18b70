import numpy as np
import pytest

from keras_axlstm.audio import resample

pytestmark = pytest.mark.any_backend


def tone(frequency: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate).astype("float32")


@pytest.mark.parametrize("from_rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_a_tone_stays_the_same_tone(from_rate):
    resampled = resample(tone(440, from_rate), from_rate, 16000)
    assert resampled.shape == (16000,) and resampled.dtype == np.float32
    # Away from the ends, where the filter reaches over the edge.
    error = (resampled - tone(440, 16000))[1000:-1000]
    assert np.abs(error).max() < 1e-4


def test_what_the_new_rate_cannot_carry_is_removed():
    assert np.abs(resample(tone(11000, 44100), 44100, 16000)[1000:-1000]).max() < 1e-4


def test_equal_rates_change_nothing():
    waveform = tone(440, 16000)
    assert resample(waveform, 16000, 16000) is waveform


@pytest.mark.parametrize("samples", [1, 2, 3, 7])
def test_at_least_one_sample_is_left(samples):
    assert resample(np.ones(samples, "float32"), 48000, 8000).size >= 1


def test_integer_pcm_is_scaled():
    assert np.abs(resample(np.full(1000, 16384, "int16"), 8000, 16000)[500:1500] - 0.5).max() < 1e-3


@pytest.mark.parametrize("rate", [0, -1, 16000.5, True, "16000"])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match="`from_rate` must be a positive integer"):
        resample(np.zeros(10), rate, 16000)
    with pytest.raises(ValueError, match="`to_rate` must be a positive integer"):
        resample(np.zeros(10), 16000, rate)
