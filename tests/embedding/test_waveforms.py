"""What the embedder takes as audio, and what it says about the rest."""

import keras
import numpy as np
import pytest

from keras_axlstm.audio import resample
from keras_axlstm.embedding.waveforms import load_waveforms

NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 2000)).astype("float32")


def load(audio, sampling_rate=16000):
    return load_waveforms(audio, sampling_rate, 16000)


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        lambda audio: audio.tolist(),
        lambda audio: audio.astype("float64"),
        keras.ops.convert_to_tensor,
        keras.Variable,
    ],
    ids=["numpy", "list", "float64", "tensor", "variable"],
)
def test_arrays_of_every_kind(convert):
    (waveform,), is_batch = load(convert(NOISE[0]))
    np.testing.assert_array_equal(waveform, NOISE[0])
    assert not is_batch
    waveforms, is_batch = load(convert(NOISE))
    np.testing.assert_array_equal(np.stack(waveforms), NOISE)
    assert is_batch


def test_a_batch_of_one_is_a_batch():
    waveforms, is_batch = load(NOISE[:1])
    assert len(waveforms) == 1 and is_batch


def test_a_list_of_waveforms_of_different_length():
    clips = [NOISE[0], NOISE[1, :700], NOISE[2, :5]]
    waveforms, is_batch = load(clips)
    assert is_batch
    for waveform, clip in zip(waveforms, clips, strict=True):
        np.testing.assert_array_equal(waveform, clip)


def test_integer_pcm_is_scaled():
    (waveform,), _ = load(np.array([0, 16384, -32768], "int16"))
    np.testing.assert_array_equal(waveform, [0, 0.5, -1])


def test_another_rate_is_resampled():
    waveforms, _ = load(NOISE, sampling_rate=44100)
    for waveform, clip in zip(waveforms, NOISE, strict=True):
        np.testing.assert_array_equal(waveform, resample(clip, 44100, 16000))


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros(0), "at least one sample"),
        (np.zeros((2, 0)), "at least one clip of at least one sample"),
        (np.zeros((0, 100)), "at least one clip of at least one sample"),
        ([], "at least one sample"),
        (np.float32(0.5), r"array of shape \(\)"),
        (np.zeros((2, 3, 4)), r"array of shape \(2, 3, 4\)"),
        (np.zeros((16000, 2)), r"looks like `\(samples, channels\)`.*mean\(axis=1\)"),
        (np.array([0.0, np.nan]), "must be finite"),
        (np.array([[0.0] * 20, [np.inf] * 20, [0.0] * 20]), r"audio\[1\]` must be finite"),
        (np.array(["a", "b"]), "dtype <U1"),
        (np.zeros(100, bool), "dtype bool"),
        (np.zeros(100, "complex64"), "dtype complex64"),
        (["a.wav", "b.wav"], "embed_files"),
        ([np.zeros(5), np.zeros((2, 5))], "list of arrays of shapes"),
        (None, "Received: NoneType"),
        ({"audio": 1}, "Received: dict"),
    ],
)
def test_what_is_not_audio_is_refused(audio, message):
    with pytest.raises(ValueError, match=message):
        load(audio)


@pytest.mark.parametrize("rate", [0, -16000, 16000.5, "16000", None, True])
def test_a_bad_rate_is_refused(rate):
    with pytest.raises(ValueError, match="`sampling_rate` must be a positive integer"):
        load(NOISE[0], sampling_rate=rate)


@pytest.mark.parametrize(
    "pair",
    [
        np.stack([NOISE[0], NOISE[0]]),
        np.stack([NOISE[0], 0.3 * NOISE[0] + 0.1 * NOISE[1] + 0.2]),
        np.zeros((2, 100)),
    ],
    ids=["equal", "correlated", "silent"],
)
def test_two_rows_alike_are_a_batch_with_a_warning(pair):
    with pytest.warns(UserWarning, match=r"stereo recording.*mean\(axis=0\)"):
        waveforms, is_batch = load(pair)
    assert len(waveforms) == 2 and is_batch


def test_two_different_clips_are_a_batch_without_a_warning():
    waveforms, is_batch = load(NOISE[:2])
    assert len(waveforms) == 2 and is_batch


def test_a_list_of_two_clips_alike_is_a_batch_without_a_warning():
    waveforms, is_batch = load([NOISE[0], NOISE[0]])
    assert len(waveforms) == 2 and is_batch
