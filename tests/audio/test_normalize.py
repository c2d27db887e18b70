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
