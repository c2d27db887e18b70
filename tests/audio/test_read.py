import pickle

import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import AudioFileError, check_audio_file, read_audio

pytestmark = pytest.mark.any_backend

RATES = [8000, 16000, 22050, 44100, 48000]


def tone(rate: int, seconds: float = 0.5, frequency: float = 500.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_rate_and_channel_count(tmp_path, rate, channels):
    path = tmp_path / "clip.wav"
    gains = np.linspace(0.2, 1.0, channels)
    soundfile.write(path, tone(rate)[:, np.newaxis] * gains, rate)
    waveform = read_audio(path)
    assert waveform.dtype == np.float32 and waveform.shape == (8000,)
    expected = tone(16000) * gains.mean()
    assert np.abs(waveform - expected)[1000:-1000].max() < 1e-3


@pytest.mark.parametrize(
    ("suffix", "subtype", "error"),
    [
        ("wav", "PCM_U8", 2**-7),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 1e-7),
        ("wav", "FLOAT", 1e-7),
        ("wav", "DOUBLE", 1e-7),
        ("flac", "PCM_16", 2**-15),
        ("flac", "PCM_24", 2**-23),
        ("ogg", "VORBIS", 0.05),
        ("mp3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_formats(tmp_path, suffix, subtype, error):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, tone(16000), 16000, subtype=subtype)
    waveform = read_audio(path)
    assert waveform.shape == (8000,)
    assert np.abs(waveform - tone(16000)).max() <= error


def test_another_sampling_rate(tmp_path):
    soundfile.write(tmp_path / "clip.wav", tone(16000), 16000)
    assert read_audio(tmp_path / "clip.wav", sampling_rate=32000).shape == (16000,)


def test_floats_beyond_full_scale_are_kept(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.array([0.0, -3.0, 2.5]), 16000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "clip.wav"), [0, -3, 2.5])


def test_one_sample(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.array([0.5]), 48000)
    assert read_audio(tmp_path / "clip.wav").shape == (1,)


def missing(path):
    pass


def folder(path):
    path.mkdir()


def empty(path):
    path.touch()


def no_samples(path):
    soundfile.write(path, np.zeros(0), 16000, format="WAV")


def text(path):
    path.write_text("not audio\n" * 100)


def nan(path):
    samples = np.zeros((100, 2))
    samples[7, 1] = np.nan
    soundfile.write(path, samples, 16000, format="WAV", subtype="FLOAT")


def infinite(path):
    samples = np.zeros((100, 2))
    samples[7] = np.inf, -np.inf
    soundfile.write(path, samples, 16000, format="WAV", subtype="FLOAT")


def too_large(path):
    soundfile.write(path, np.full((100, 2), 3e38), 16000, format="WAV", subtype="FLOAT")


def cut_flac(path):
    soundfile.write(path, tone(16000), 16000, format="FLAC")
    path.write_bytes(path.read_bytes()[:-2000])


def hole_in_ogg(path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 80000)
    soundfile.write(path, noise, 16000, format="OGG")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : 2 * len(data) // 3] = bytes(2 * len(data) // 3 - len(data) // 3)
    path.write_bytes(data)


def streamed_flac(path):
    """As a recorder writes it that does not know yet how long the recording gets."""
    soundfile.write(path, tone(16000), 16000, format="FLAC")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)


HEADER_FAILURES = {
    missing: "does not exist",
    folder: "is not a file",
    empty: "empty",
    no_samples: "no samples",
    text: "not in a supported format",
    streamed_flac: "does not state its length",
}
LATER_FAILURES = {
    nan: "1 of 100 samples are NaN or infinite, the first at index 7",
    infinite: "1 of 100 samples are NaN or infinite, the first at index 7",
    too_large: "100 of 100 samples",
    cut_flac: "damaged",
    hole_in_ogg: "only .* of 80000 samples can be decoded",
}


@pytest.mark.parametrize("make", [*HEADER_FAILURES, *LATER_FAILURES])
def test_unreadable_files(tmp_path, make):
    path = tmp_path / "clip.wav"
    make(path)
    with pytest.raises(AudioFileError, match=(HEADER_FAILURES | LATER_FAILURES)[make]) as caught:
        read_audio(path)
    assert caught.value.path == path
    assert str(path) in str(caught.value) and caught.value.reason in str(caught.value)


@pytest.mark.parametrize("make", HEADER_FAILURES)
def test_headers_show_most_unreadable_files(tmp_path, make):
    make(tmp_path / "clip.wav")
    with pytest.raises(AudioFileError, match=HEADER_FAILURES[make]):
        check_audio_file(tmp_path / "clip.wav")


@pytest.mark.parametrize("make", LATER_FAILURES)
def test_headers_do_not_show_damage_further_on(tmp_path, make):
    make(tmp_path / "clip.wav")
    check_audio_file(tmp_path / "clip.wav")


def test_headerless_format(tmp_path):
    (tmp_path / "clip.raw").write_bytes(bytes(100))
    with pytest.raises(AudioFileError, match="not in a supported format"):
        read_audio(tmp_path / "clip.raw")


def test_a_path_the_system_refuses():
    with pytest.raises(AudioFileError, match="name too long"):
        read_audio("x" * 300 + ".wav")


def test_bad_sampling_rate_comes_before_the_file():
    with pytest.raises(ValueError, match="`sampling_rate` must be a positive integer"):
        read_audio("missing.wav", sampling_rate=0)


def test_the_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(AudioFileError("clip.wav", "it is empty.")))
    assert isinstance(error, AudioFileError)
    assert (error.path, error.reason) == ("clip.wav", "it is empty.")
    assert str(error) == "Cannot read the audio file clip.wav: it is empty."
