import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import log_mel_spectrogram, read_audio
from tests.support.tolerances import relative_error

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "audio"
# Relative error: what Vorbis and MP3 leave out; the other formats keep all but the rounding.
LOSSY = {".ogg": 0.3, ".mp3": 0.3}
LOSSLESS = 1e-3


@pytest.fixture(scope="module")
def clips():
    spec = importlib.util.spec_from_file_location(
        "make_example_audio", ROOT / "tools" / "make_example_audio.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: (clip, rate) for name, clip, rate, _ in module.synthesise()}


def test_the_script_makes_these_files(clips):
    paths = {path.name: path for path in FOLDER.iterdir() if path.name != "README.md"}
    assert set(paths) == set(clips)
    for name, (clip, rate) in clips.items():
        samples, file_rate = soundfile.read(paths[name])
        assert file_rate == rate and samples.shape == clip.shape
        assert relative_error(samples, clip) <= LOSSY.get(paths[name].suffix, LOSSLESS), name


def test_the_files_are_small_and_varied():
    paths = [path for path in FOLDER.iterdir() if path.name != "README.md"]
    assert sum(path.stat().st_size for path in paths) < 2_000_000
    assert {path.suffix for path in paths} == {".wav", ".flac", ".ogg", ".mp3"}
    headers = [soundfile.info(path) for path in paths]
    assert {header.samplerate for header in headers} == {8000, 16000, 22050, 44100}
    assert {header.channels for header in headers} == {1, 2}
    assert all(1 <= header.duration <= 6 for header in headers)


def test_the_files_can_be_used():
    for path in FOLDER.iterdir():
        if path.name != "README.md":
            log_mel = log_mel_spectrogram(read_audio(path))
            assert np.isfinite(log_mel).all() and log_mel.std() > 1
