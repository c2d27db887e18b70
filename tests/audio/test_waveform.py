import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from keras_axlstm.audio import validate_waveform

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_kept(dtype):
    waveform = np.array([-2.5, 0, 0.5, 1], dtype)
    valid = validate_waveform(waveform)
    assert valid.dtype == np.float32
    np.testing.assert_array_equal(valid, [-2.5, 0, 0.5, 1])


def test_float32_is_not_copied():
    waveform = np.zeros(4, "float32")
    assert validate_waveform(waveform) is waveform


def test_lists_are_taken():
    np.testing.assert_array_equal(validate_waveform([0.25, -1.0]), np.float32([0.25, -1.0]))


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("int16", [-32768, -1, 0, 16384], [-1, -1 / 32768, 0, 0.5]),
        ("int32", [-(2**31), 0, 2**30], [-1, 0, 0.5]),
        ("uint8", [0, 128, 192], [-1, 0, 0.5]),
    ],
)
def test_integer_pcm_is_scaled(dtype, values, expected):
    valid = validate_waveform(np.array(values, dtype))
    assert valid.dtype == np.float32
    np.testing.assert_array_equal(valid, np.float32(expected))


@given(npst.arrays("int16", st.integers(1, 50)))
def test_pcm_is_within_full_scale(pcm):
    valid = validate_waveform(pcm)
    assert np.all((valid >= -1) & (valid < 1))
    np.testing.assert_array_equal(valid * 32768, pcm)


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros((2, 16000)), r"not a batch here: mix stereo down with `.mean\(axis=0\)`"),
        (np.zeros((16000, 2)), r"not a batch here: mix stereo down with `.mean\(axis=1\)`"),
        (np.zeros((1, 2, 3)), r"shape \(1, 2, 3\)"),
        (np.float32(0), r"shape \(\)"),
        (np.zeros(0), "at least one sample"),
        (np.zeros(3, "int64"), "dtype int64"),
        (np.zeros(3, "complex64"), "dtype complex64"),
        (np.array(["a", "b"]), "dtype <U1"),
        (np.array([True]), "dtype bool"),
        ([0.0, np.nan, np.inf], "2 of 3 samples are NaN or infinite, the first at index 1"),
        ([-np.inf], "1 of 1 samples"),
        ([1e300], "1 of 1 samples"),
    ],
)
def test_bad_waveforms(waveform, message):
    with pytest.raises(ValueError, match=f"`clip` must .*{message}"):
        validate_waveform(waveform, "clip")
