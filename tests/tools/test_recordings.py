"""Recordings in the corpus: which ones, how they become clips, what is said where they lack."""

import sys

import numpy as np
import pytest
import soundfile

import make_corpus
from corpus_making import card, recordings, volumes
from corpus_making.recordings import Repository, missing_recordings, recorded_clips
from corpus_making.streams import SAMPLES
from keras_axlstm.data import clip_source
from task_making.recipe import RATE

pytestmark = pytest.mark.any_backend


def tone(seconds, hertz, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def peak_frequency(sound):
    return np.argmax(np.abs(np.fft.rfft(sound * np.hanning(sound.size)))) * RATE / sound.size


@pytest.fixture
def clones(tmp_path, monkeypatch):
    """Two repositories: long tones of 1 kHz in stereo; short ones of 2 kHz, some of them free."""
    common = {"commit": "0" * 40, "licence": "CC0 1.0", "what": "tones", "share": 0.5}
    voice = Repository("https://example.org/long", folder="wavs", files=2, octaves=0.0, **common)
    words = Repository(
        "https://example.org/words",
        folder=".",
        files=2,
        octaves=0.5,
        named_in="licenses/*.txt",
        **common,
    )
    for module in (recordings, card):
        monkeypatch.setattr(module, "REPOSITORIES", (voice, words))
    recordings._find.cache_clear()
    folder = tmp_path / "clones"
    for name in ("long/wavs", "words/licenses", "words/en"):
        (folder / name).mkdir(parents=True)
    for number in range(2):
        both = np.stack([tone(6, 1000, 48_000)] * 2, axis=1)
        soundfile.write(folder / f"long/wavs/{number}.flac", both, 48_000)
    (folder / "long/wavs/notes.txt").touch()
    for name in ("a", "b", "of-somebody"):
        sound = np.pad(tone(0.5, 2000), 8000)
        soundfile.write(folder / f"words/en/{name}.wav", sound, RATE)
    (folder / "words/licenses/one.txt").write_text("Public domain:\nen/a.wav\nb.wav\n")
    return folder


def test_all_recordings_of_the_listed_repositories_are_free_and_pinned():
    for one in recordings.REPOSITORIES:
        assert one.licence in {"CC0 1.0", "public domain", "CC BY 4.0"}
        assert len(one.commit) == 40 and one.url.startswith("https://") and one.files > 0
    assert sum(one.share for one in recordings.REPOSITORIES) == pytest.approx(1)


def test_only_recordings_named_under_the_licence_are_used(clones):
    voice, words = recordings.REPOSITORIES
    assert [path.name for path in voice.find(clones)] == ["0.flac", "1.flac"]
    assert [path.name for path in words.find(clones)] == ["a.wav", "b.wav"]


def test_clips_follow_from_seed_and_block(clones):
    made = recorded_clips(clones, 0, 1, 12)
    assert made.shape == (12, SAMPLES)
    np.testing.assert_array_equal(made, recorded_clips(clones, 0, 1, 12))
    assert not np.array_equal(made, recorded_clips(clones, 0, 2, 12))
    assert not np.array_equal(made, recorded_clips(clones, 1, 1, 12))


def test_a_clip_is_of_one_repository_and_its_voices_are_stretched(clones):
    clips = recorded_clips(clones, 0, 0, 60)
    peaks = np.array([peak_frequency(clip) for clip in clips])
    plain = np.abs(peaks - 1000) < 2
    assert 15 < plain.sum() < 45
    octaves = np.log2(peaks[~plain] / 2000)
    assert np.abs(octaves).max() < 0.52 and np.ptp(octaves) > 0.5
    # One word is up to 0.7 s long; several fill the clip, with gaps.
    heard = (np.abs(clips[~plain]) > 1e-3).mean(axis=1) * SAMPLES / RATE
    assert (heard < 0.75).any() and (heard > 1.5).any()


def test_what_is_missing_is_said_with_the_command_that_gets_it(clones, tmp_path):
    assert missing_recordings(clones) == []
    (clones / "words/en/a.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    problems = missing_recordings(clones)
    assert len(problems) == 1 and "git clone https://example.org/words" in problems[0]
    assert len(missing_recordings(tmp_path / "nothing")) == 2
    (clones / "long/wavs/2.wav").write_bytes((clones / "words/en/b.wav").read_bytes())
    assert "expected 2 recordings" in missing_recordings(clones)[0]


def run(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["make_corpus.py", *map(str, arguments)])
    return make_corpus.main()


def test_a_corpus_with_recordings(clones, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(volumes, "BLOCK", 2)
    monkeypatch.setattr(volumes, "_BLOCKS", 2)
    monkeypatch.setattr(volumes, "_CLIPS_PER_SHARD", 2)
    corpus, counts = tmp_path / "corpus", ("--counts", 0, 0, 1, 1)
    assert run(monkeypatch, corpus, "--hours", 1, *counts) == 1
    assert "give --recordings too" in capsys.readouterr().err
    assert run(monkeypatch, corpus, "--hours", 1, *counts, "--recordings", tmp_path) == 1
    assert "git clone https://example.org/long" in capsys.readouterr().err
    assert not corpus.exists()
    assert run(monkeypatch, corpus, "--hours", 1, *counts, "--recordings", clones) == 0
    source = clip_source(corpus / "1h")
    assert [source.metadata(clip)["source"] for clip in range(4)] == [
        "procedural",
        "recordings",
    ] * 2
    text = (corpus / "1h" / "README.md").read_text()
    assert "| recordings | 50% | 450 |" in text and "recordings are\nmixed in" in text
    assert "| [words](https://example.org/words), 0000000 | CC0 1.0 | 2 | 50% | tones |" in text
    # A later call without recordings is of another corpus.
    assert run(monkeypatch, corpus, "--hours", 2, "--counts", 0, 0, 2) == 1
    assert "was begun with" in capsys.readouterr().err
