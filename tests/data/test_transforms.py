import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import (
    AudioFileError,
    log_mel_spectrogram,
    normalize_log_mel,
    read_audio,
)
from keras_axlstm.data.transforms import LoadCrop, random_crop


def ramp(frames: int) -> np.ndarray:
    """A spectrogram whose frames are numbered."""
    return np.repeat(np.arange(frames, dtype="float32")[:, np.newaxis], 80, axis=1)


def test_crops_are_consecutive_and_reach_everywhere():
    rng = np.random.default_rng(0)
    starts = set()
    for _ in range(200):
        crop = random_crop(ramp(12), 5, rng)
        assert crop.shape == (5, 80)
        np.testing.assert_array_equal(np.diff(crop[:, 0]), 1)
        starts.add(int(crop[0, 0]))
    assert starts == set(range(8))


@pytest.mark.parametrize("frames", [1, 2, 7, 9])
def test_short_clips_are_repeated(frames):
    rng = np.random.default_rng(0)
    for _ in range(20):
        crop = random_crop(ramp(frames), 10, rng)
        np.testing.assert_array_equal(np.diff(crop[:, 0]) % frames, 1 % frames)
        assert crop.shape == (10, 80)


def test_a_clip_of_just_the_length():
    np.testing.assert_array_equal(random_crop(ramp(5), 5, np.random.default_rng(0)), ramp(5))


def test_the_whole_clip_is_normalised_before_cropping(tmp_path):
    path = tmp_path / "clip.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-1, 1, 32000) * np.linspace(0, 1, 32000), 16000)
    crop = LoadCrop(50, 16000, "clip", None, None, {})(path, rng)
    whole = normalize_log_mel(log_mel_spectrogram(read_audio(path)))
    (start,) = [i for i in range(len(whole) - 49) if np.array_equal(whole[i], crop[0])]
    np.testing.assert_array_equal(crop, whole[start : start + 50])
    assert abs(crop.mean()) > 0.01


def test_unreadable_files_are_returned_as_errors(tmp_path):
    result = LoadCrop(50, 16000, "clip", None, None, {})(
        tmp_path / "missing.wav", np.random.default_rng(0)
    )
    assert isinstance(result, AudioFileError)
