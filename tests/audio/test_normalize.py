import numpy as np
import pytest

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel
from tests.support.tolerances import SAME_FORMULA

pytestmark = pytest.mark.any_backend

LOG_MEL = np.random.default_rng(0).normal(-5, 3, (30, 80)).astype("float32")


def test_none_changes_nothing():
    np.testing.assert_array_equal(normalize_log_mel(LOG_MEL, "none"), LOG_MEL)


def test_clip():
    normalized = normalize_log_mel(LOG_MEL)
    assert normalized.dtype == np.float32
    # The population standard deviation: divided by the number of values.
    deviation = np.sqrt(np.sum((LOG_MEL - LOG_MEL.mean()) ** 2, dtype="float64") / LOG_MEL.size)
    expected = (LOG_MEL - LOG_MEL.mean()) / deviation
    np.testing.assert_allclose(normalized, expected, rtol=0, atol=SAME_FORMULA)


def test_clip_ignores_mean_and_std():
    np.testing.assert_array_equal(
        normalize_log_mel(LOG_MEL, "clip", mean=3.0, std=2.0), normalize_log_mel(LOG_MEL)
    )


def test_dataset():
    normalized = normalize_log_mel(LOG_MEL, "dataset", mean=-4.0, std=2.0)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized, (LOG_MEL + 4) / 2, rtol=0, atol=SAME_FORMULA)


def test_silence_becomes_zero():
    normalized = normalize_log_mel(log_mel_spectrogram(np.zeros(32000)))
    assert np.abs(normalized).max() < 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normalization": "batch"}, "one of .*'batch'"),
        ({"normalization": "dataset"}, "mean=None, std=None"),
        ({"normalization": "dataset", "mean": 0.0}, "mean=0.0, std=None"),
        ({"normalization": "dataset", "mean": 0.0, "std": 0.0}, "positive"),
        ({"normalization": "dataset", "mean": np.nan, "std": 1.0}, "finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        normalize_log_mel(LOG_MEL, **arguments)


def test_a_dynamic_range_raises_what_is_softer():
    softest = LOG_MEL.max() - 40 * np.log(10) / 10
    raised = np.maximum(LOG_MEL, softest)
    assert 0.1 < (LOG_MEL < softest).mean() < 0.9
    expected = normalize_log_mel(raised)
    received = normalize_log_mel(LOG_MEL, dynamic_range=40.0)
    np.testing.assert_allclose(received, expected, atol=SAME_FORMULA)


@pytest.mark.parametrize("fixed", [("none",), ("dataset", -3.0, 2.0)])
def test_a_dynamic_range_is_that_of_a_clip(fixed):
    received = normalize_log_mel(LOG_MEL, *fixed, dynamic_range=40.0)
    np.testing.assert_array_equal(received, normalize_log_mel(LOG_MEL, *fixed))


def test_with_a_dynamic_range_the_level_does_not_matter_beside_digital_silence():
    sound = np.zeros(16000)
    sound[4000:9000] = np.random.default_rng(0).normal(size=5000) * 0.1
    loud, soft = (log_mel_spectrogram(sound * gain) for gain in (1.0, 0.05))
    unlimited = normalize_log_mel(loud) - normalize_log_mel(soft)
    assert np.abs(unlimited).max() > 0.1
    limited = [normalize_log_mel(each, dynamic_range=30.0) for each in (loud, soft)]
    # The offset in the logarithm is 1.8e-3 of the softest power that is left of the soft sound.
    np.testing.assert_allclose(*limited, atol=1e-3)


@pytest.mark.parametrize("dynamic_range", [0.0, -50.0, np.nan, np.inf])
def test_bad_dynamic_ranges(dynamic_range):
    with pytest.raises(ValueError, match="must be a positive number of decibels"):
        normalize_log_mel(LOG_MEL, dynamic_range=dynamic_range)
