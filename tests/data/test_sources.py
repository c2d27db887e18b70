import warnings

import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.sources import readable_files
from keras_axlstm.data.unreadable_files import UnreadableFiles


@pytest.fixture
def paths(tmp_path):
    good, empty, missing = (tmp_path / f"{name}.wav" for name in ("good", "empty", "missing"))
    soundfile.write(good, np.zeros(100), 16000)
    empty.touch()
    return [good, empty, missing]


def test_unreadable_headers_are_reported_and_left_out(paths):
    report: list = []
    with pytest.warns(UserWarning, match="2 of 3 audio files cannot be read and are skipped") as w:
        assert readable_files(paths, UnreadableFiles(3, report)) == paths[:1]
    assert len(w) == 1 and "empty.wav: it is empty" in str(w[0].message)
    assert [path for path, _ in report] == paths[1:]
    assert all(str(path) in reason for path, reason in report)


def test_readable_headers_are_not_reported(paths):
    report: list = []
    assert readable_files(paths[:1], UnreadableFiles(1, report)) == paths[:1]
    assert report == []


def test_nothing_readable(paths):
    report: list = []
    with pytest.raises(ValueError, match="None of the 2 audio files .*\n.*empty.wav.*\n.*missing"):
        readable_files(paths[1:], UnreadableFiles(2, report))
    assert len(report) == 2


def test_a_file_is_reported_once():
    report: list = []
    unreadable = UnreadableFiles(2, report)
    error = AudioFileError("a.wav", "it is damaged.")
    with pytest.warns(UserWarning, match="1 of 2 audio files"):
        assert not unreadable.is_readable(error)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not unreadable.is_readable(error)
    assert report == [("a.wav", str(error))]
    assert unreadable.is_readable(np.zeros((200, 80)))


def test_many_reasons_are_shortened():
    with pytest.warns(UserWarning, match=r"9\.wav.*\n\.\.\. and 15 more"):
        UnreadableFiles(99, []).add([AudioFileError(f"{i}.wav", "bad.") for i in range(25)])
