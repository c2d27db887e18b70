import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import (
    AudioFileError,
    log_mel_spectrogram,
    normalize_log_mel,
    read_audio,
)
from keras_axlstm.data.crop_reader import CropReader
from keras_axlstm.data.global_order import GlobalOrder
from keras_axlstm.data.sources import ClipSource, clip_source
from keras_axlstm.data.sources.clip import Clip

pytestmark = pytest.mark.any_backend


class Ramps(ClipSource):
    """Clips whose frames are numbered; the values are those of the clip times 1000 too."""

    def __init__(self, *lengths: int):
        super().__init__(num_bands=2)
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Clip:
        length = self.lengths[index]
        if not length:
            raise AudioFileError(self.name(index), "it is empty.")
        frames = np.arange(length, dtype="float32") + 1000 * index
        return Clip.of(np.repeat(frames[:, np.newaxis], 2, axis=1))

    def name(self, index: int) -> str:
        return f"ramp {index}"


def reader(
    source: ClipSource, num_frames: int, normalization="none", shuffle=False, dynamic_range=None
):
    order = GlobalOrder(len(source), seed=0, shuffle=shuffle)
    return CropReader(
        source,
        order,
        num_frames=num_frames,
        normalization=normalization,
        mean=None,
        std=None,
        dynamic_range=dynamic_range,
    )


def test_crops_are_consecutive_and_reach_everywhere():
    crops, errors = reader(Ramps(12), 5).read(range(200))
    assert crops.shape == (200, 5, 2) and crops.dtype == np.float32 and not errors
    np.testing.assert_array_equal(np.diff(crops[:, :, 0]), 1)
    assert set(crops[:, 0, 0]) == set(range(8))


@pytest.mark.parametrize("frames", [1, 2, 7, 9])
def test_short_clips_are_repeated(frames):
    crops, _ = reader(Ramps(frames), 10).read(range(20))
    assert crops.shape == (20, 10, 2)
    np.testing.assert_array_equal(np.diff(crops[:, :, 0]) % frames, 1 % frames)


def test_a_clip_of_just_the_length():
    crops, _ = reader(Ramps(5), 5).read([0])
    np.testing.assert_array_equal(crops[0, :, 0], range(5))


def test_the_next_readable_clip_stands_in():
    crops, errors = reader(Ramps(3, 0, 0, 3, 0), 3).read(range(5))
    assert (crops[:, 0, 0] // 1000).tolist() == [0, 3, 3, 3, 0]
    assert [error.path for error in errors] == ["ramp 1", "ramp 2", "ramp 2", "ramp 4"]


def test_no_readable_clip():
    crops, errors = reader(Ramps(0, 0, 0), 3, shuffle=True).read([1, 2])
    assert len(crops) == 0
    assert {error.path for error in errors} == {"ramp 0", "ramp 1", "ramp 2"}


def test_the_whole_clip_is_normalised_before_cropping(tmp_path):
    path = tmp_path / "clip.wav"
    noise = np.random.default_rng(0).uniform(-1, 1, 32000)
    soundfile.write(path, noise * np.linspace(0, 1, 32000), 16000)
    ((crop,), _) = reader(clip_source([path]), 50, "clip").read([0])
    whole = normalize_log_mel(log_mel_spectrogram(read_audio(path)))
    (start,) = [i for i in range(len(whole) - 49) if np.array_equal(whole[i], crop[0])]
    np.testing.assert_array_equal(crop, whole[start : start + 50])
    assert abs(crop.mean()) > 0.01


@pytest.mark.parametrize("num_frames", [50, 450])
def test_a_dynamic_range_is_that_of_the_whole_clip(tmp_path, num_frames):
    path = tmp_path / "clip.wav"
    noise = np.random.default_rng(0).uniform(-1, 1, 32000)
    soundfile.write(path, noise * np.linspace(0, 1, 32000) ** 4, 16000)
    source = clip_source([path])
    crops, _ = reader(source, num_frames, "clip", dynamic_range=30.0).read(range(3))
    plain, _ = reader(source, num_frames).read(range(3))
    log_mel = log_mel_spectrogram(read_audio(path))
    whole = normalize_log_mel(log_mel, dynamic_range=30.0)
    for crop, same_place in zip(crops, plain, strict=True):
        (start,) = [i for i in range(len(log_mel)) if np.array_equal(log_mel[i], same_place[0])]
        frames = np.arange(start, start + num_frames) % len(whole)
        np.testing.assert_array_equal(crop, whole[frames])
    assert (whole == whole.min()).mean() > 0.2
