from pathlib import Path

import pytest

from keras_axlstm.data import find_audio_files

pytestmark = pytest.mark.any_backend


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_sorted_and_recursive(tmp_path):
    touch(tmp_path, "b.wav", "a.FLAC", "sub/deep/c.ogg", "sub/d.Mp3", "notes.txt", "wav")
    names = ["a.FLAC", "b.wav", "sub/d.Mp3", "sub/deep/c.ogg"]
    assert find_audio_files(tmp_path) == [tmp_path / name for name in names]
    assert find_audio_files(str(tmp_path)) == find_audio_files(tmp_path)


def test_hidden_files_are_passed_over(tmp_path):
    touch(tmp_path, "a.wav", "._a.wav", ".cache/b.wav")
    assert find_audio_files(tmp_path) == [tmp_path / "a.wav"]


def test_folders_are_not_files(tmp_path):
    touch(tmp_path, "album.wav/track.wav")
    assert find_audio_files(tmp_path) == [tmp_path / "album.wav" / "track.wav"]


def test_missing_folder(tmp_path):
    with pytest.raises(ValueError, match="a path that does not exist, .*nowhere"):
        find_audio_files(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path):
    touch(tmp_path, "a.wav")
    with pytest.raises(ValueError, match="a file, .*a.wav"):
        find_audio_files(tmp_path / "a.wav")


def test_empty_folder(tmp_path):
    touch(tmp_path, "notes.txt", ".a.wav")
    with pytest.raises(ValueError, match=r"Expected audio files \(.flac, .mp3, .ogg, .wav\) in .*"):
        find_audio_files(tmp_path)
