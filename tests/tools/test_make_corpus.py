"""The corpus for pretraining: what follows from its seed, what it leaves out, how it sounds."""

import json
import sys

import numpy as np
import pytest

import make_corpus
from corpus_making import music, speakers, speech, texts
from corpus_making.conditions import new_conditions
from corpus_making.corpus_clips import CorpusClips
from corpus_making.mixing import Mixer
from corpus_making.noise_bank import BANK_SAMPLES, noise_bank
from corpus_making.procedural import KINDS, procedural_inputs
from corpus_making.rendering import StreamRenderer
from corpus_making.streams import (
    BAND_CENTRES,
    BANDS,
    HOP,
    PARTIALS,
    POINTS,
    SAMPLES,
    silent_stream,
    stack,
)
from keras_axlstm.data import clip_source, random_crops
from task_making.recipe import RATE, generator
from task_making.voices import ACCENTS, PROGRAMS, VARIANTS
from tests.support.golden import load_golden


@pytest.fixture(scope="module")
def corpus():
    """Of blocks of two clips: most of the time is compiling, for each size."""
    return CorpusClips(0, range(6), (0, 0, 2, 0), StreamRenderer(), Mixer())


def render(corpus, streams):
    """Two of four streams."""
    streams = [*streams, silent_stream(), silent_stream()]
    mix = np.eye(2, 4, dtype="float32")
    return np.asarray(corpus._renderer.predict_on_batch(stack(streams) | {"mix": mix}))


def peak_frequency(sound):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return np.argmax(spectrum) * RATE / sound.size


def test_a_tone_and_a_band_of_noise_are_where_they_were_asked_for(corpus):
    tone, noise = silent_stream(), silent_stream()
    tone.frequency = np.full(POINTS, 440.0)
    tone.level = np.ones(POINTS)
    tone.gains = np.where(np.arange(PARTIALS) == 1, 1.0, 0.0)
    noise.noise = np.ones(POINTS)
    noise.bands = np.where(np.arange(BANDS) == 12, 1.0, 0.0)
    sounds = render(corpus, [tone, noise])
    assert sounds.shape == (2, SAMPLES)
    assert peak_frequency(sounds[0]) == pytest.approx(880, abs=0.5)
    expected = np.sin(2 * np.pi * (880 * np.arange(SAMPLES) / RATE + 0.618034))
    np.testing.assert_allclose(sounds[0], expected * np.sqrt(2), atol=5e-3)
    power = np.abs(np.fft.rfft(sounds[1])) ** 2
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    near = np.abs(np.log2(np.maximum(frequency, 1) / BAND_CENTRES[12])) < 0.4
    assert power[near].sum() > 0.99 * power.sum()
    assert not render(corpus, [silent_stream(), tone])[0].any()


def test_the_phase_of_a_glide_is_that_of_its_frequency():
    stream = silent_stream()
    stream.frequency = np.linspace(200, 4000, POINTS)
    cycles = stack([stream])["cycles"][0]
    time = np.arange(POINTS - 1) * HOP / RATE
    exact = 200 * time + (3800 / (SAMPLES / RATE)) * time**2 / 2
    off = np.mod(cycles - exact + 32, 64) - 32
    assert np.abs(off).max() < 1e-4


def test_the_noise_bank_is_white_in_each_band():
    bank = noise_bank()
    assert bank.shape == (BANDS, BANK_SAMPLES)
    np.testing.assert_allclose(np.mean(np.square(bank), axis=1), 1, rtol=1e-3)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_streams_of_each_kind_are_finite_and_differ(make):
    streams = [make(generator(0, "corpus test", number)) for number in range(20)]
    arrays = stack(streams)
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert (arrays["level"] >= 0).all() or make.__name__ in {"sustained", "scrape"}
    heard = arrays["level"].max(axis=1) * arrays["gains"].max(axis=1) + arrays["noise"].max(axis=1)
    assert (heard > 0).all()
    assert (
        len({array.tobytes() for array in arrays["frequency"]}) > 10 or make.__name__ == "texture"
    )


def test_procedural_clips_follow_from_seed_and_block():
    one, same = procedural_inputs(3, 5, 4), procedural_inputs(3, 5, 4)
    assert one.keys() == same.keys()
    assert all(np.array_equal(one[name], same[name]) for name in one)
    others = procedural_inputs(3, 6, 4), procedural_inputs(4, 5, 4)
    assert all(not np.array_equal(one["frequency"], other["frequency"]) for other in others)
    assert (one["mix"].sum(axis=0) == 1).all() and (one["mix"].sum(axis=1) >= 1).all()


def test_conditions_are_as_often_as_the_card_says():
    values = new_conditions(0, 0, 400, gated=0.4)
    for share, heard in (
        (0.30, values["other_db"] < 100),
        (0.70, values["noise_db"] < 100),
        (0.45, values["wet"] > 0),
        (0.06, values["drive"] > 0),
        (0.13, values["gate"].min(axis=1) == 0),
        (0.40, values["gate_db"] < 100),
    ):
        assert heard.mean() == pytest.approx(share, abs=0.08)
    assert (values["other"] != np.arange(400)).all()
    assert (new_conditions(0, 0, 400)["gate_db"] > 100).all()


def test_a_noise_gate_leaves_digital_silence_between_sounds(corpus):
    """Two bursts of a second, 30 dB apart, in noise: of the softer one nothing is left at 20 dB."""
    conditions = new_conditions(0, 0, 2)
    for name, value in {
        "other_db": 200,
        "wet": 0,
        "drive": 0,
        "noise_db": 30,
        "level": 0.1,
    }.items():
        conditions[name][:] = value
    for values in conditions.values():
        values[1] = values[0]
    conditions["response"][:] = conditions["gate"][:] = 1
    conditions["gate_db"][:] = 20, 200
    sound = np.zeros((2, SAMPLES), "float32")
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    sound[:, :RATE], sound[:, 2 * RATE : 3 * RATE] = tone, tone * 10 ** (-30 / 20)
    gated, open_ = corpus._mixer.predict_on_batch({"sound": sound, **conditions})["sound"]
    assert not gated[round(1.1 * RATE) :].any()
    np.testing.assert_array_equal(gated[:RATE], open_[:RATE])
    assert (open_[2 * RATE : 3 * RATE] != 0).mean() > 0.9 and open_[-RATE // 2 :].any()


def test_clips_are_the_same_on_every_backend(corpus):
    """As JAX made them, averaged over 20 frames."""
    log_mel = corpus.block(0)["log_mel"]
    cells = log_mel[:, :400].reshape(2, 20, 20, 80).mean(axis=2)
    np.testing.assert_allclose(cells, load_golden("corpus_clips")["log_mel"], rtol=0, atol=0.05)


def test_clips_are_varied_sound(corpus):
    blocks = [corpus.block(number) for number in range(6)]
    sound = np.concatenate([one["sound"] for one in blocks])
    log_mel = np.concatenate([one["log_mel"] for one in blocks])
    assert sound.shape == (12, SAMPLES) and log_mel.shape == (12, 401, 80)
    assert np.isfinite(sound).all() and np.isfinite(log_mel).all()
    assert np.abs(sound).max() <= 0.951
    levels = 10 * np.log10(np.mean(np.square(sound), axis=1))
    assert levels.min() > -60 and np.ptp(levels) > 8
    # Clips differ in where in frequency and in time they are loud.
    assert log_mel.mean(axis=1).std(axis=0).mean() > 1
    assert np.median(log_mel.std(axis=1).mean(axis=1)) > 0.5


def test_what_is_reserved_is_left_out(synthesizers):
    reserved = {*VARIANTS["valid"], *VARIANTS["test"]}
    assert reserved.isdisjoint(speakers.espeak_variants()) and len(speakers.espeak_variants()) > 40
    accents = {*ACCENTS["test"], *ACCENTS["valid"]} - set(ACCENTS["train"])
    assert accents.isdisjoint(speakers.espeak_languages())
    rng = generator(0, "corpus test")
    voices = [
        one.voice for one in (speech.new_utterance(rng) for _ in range(500)) if "+" in one.voice
    ]
    assert reserved.isdisjoint(voice.partition("+")[2] for voice in voices)
    assert accents.isdisjoint(voice.partition("+")[0] for voice in voices)


def test_reserved_instruments_are_left_out():
    reserved = {*PROGRAMS["valid"], *PROGRAMS["test"]}
    assert reserved.isdisjoint(music.ALLOWED_PROGRAMS)
    assert len(reserved) + len(music.ALLOWED_PROGRAMS) == 128
    played = set()
    for number in range(200):
        events = music._new_clip(generator(0, "corpus test", number))
        assert all(time >= 0 for time, _, _ in events)
        played |= {what[1] for _, _, what in events if what[0] & 0xF0 == 0xC0}
    assert reserved.isdisjoint(played) and len(played) > 60


def test_no_sound_of_the_tasks_has_a_seed_of_the_corpus():
    corpus = generator(0, "corpus", "speech", 0).integers(2**63)
    for key in ("keywords", "languages", "speakers", "emotion", "pitch", "percussion", "scenes"):
        assert generator(0, key, 0).integers(2**63) != corpus


@pytest.mark.parametrize("language", ["en-us", "ru", "hi", "cmn"])
def test_texts(language):
    made = [texts.new_text(generator(0, "corpus test", number), language) for number in range(200)]
    assert all(made) and len(set(made)) > 150


@pytest.mark.any_backend
def test_speech_and_music(synthesizers):
    for make in (speech.speech_clips, music.music_clips):
        clips = make(0, 1, 3)
        assert clips.shape == (3, SAMPLES) and np.isfinite(clips).all()
        assert (np.sqrt(np.mean(np.square(clips), axis=1)) > 1e-4).all()
        np.testing.assert_array_equal(clips, make(0, 1, 3))
        assert not np.array_equal(clips, make(0, 2, 3))


def run(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["make_corpus.py", *map(str, arguments)])
    return make_corpus.main()


@pytest.mark.any_backend
def test_hours_are_shards_for_training(tmp_path, monkeypatch, synthesizers):
    from corpus_making import volumes

    monkeypatch.setattr(volumes, "BLOCK", 4)
    monkeypatch.setattr(volumes, "_BLOCKS", 2)
    monkeypatch.setattr(volumes, "_CLIPS_PER_SHARD", 4)
    counts = ["--counts", 1, 1, 2]
    assert run(monkeypatch, tmp_path / "corpus", "--hours", 1, *counts) == 0
    source = clip_source(tmp_path / "corpus" / "1h")
    assert [source.metadata(clip)["source"] for clip in range(4)] == [
        "speech",
        "music",
        *(["procedural"] * 2),
    ]
    before = source[5].read(0, 401)
    # More hours: the first is not made again, and its view stays as it is.
    assert run(monkeypatch, tmp_path / "corpus", "--hours", 2, *counts) == 0
    source = clip_source(tmp_path / "corpus" / "2h")
    assert len(source) == 16
    np.testing.assert_array_equal(source[5].read(0, 401), before)
    assert len(clip_source(tmp_path / "corpus" / "1h")) == 8
    crops = next(iter(random_crops(tmp_path / "corpus" / "2h", batch_size=8)))
    assert crops.shape == (8, 200, 80) and np.isfinite(crops).all()
    card = (tmp_path / "corpus" / "2h" / "README.md").read_text()
    assert "| speech | 25% | 450 |" in card and "eSpeak NG" in card
    described = json.loads((tmp_path / "corpus" / "2h" / "dataset.json").read_text())
    values = np.concatenate([source[clip].read(0, 401) for clip in range(16)]).astype("float64")
    assert described["mean"] == pytest.approx(values.mean(), rel=1e-3)
    assert described["std"] == pytest.approx(values.std(), rel=1e-3)


def test_errors_before_any_work(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, tmp_path / "a", "--hours", 0) == 1
    assert run(monkeypatch, tmp_path / "a", "--hours", 1, "--counts", 1, 1, 1) == 1
    assert run(monkeypatch, tmp_path / "a", "--hours", 1, "--seed", -1) == 1
    assert run(monkeypatch, tmp_path / "a", "--hours", 1, "--gated", 40) == 1
    monkeypatch.setenv("PATH", "")
    assert run(monkeypatch, tmp_path / "a", "--hours", 1) == 1
    said = capsys.readouterr().err
    assert "--hours: expected a positive integer, received 0" in said
    assert "--counts: expected three or four that add up to 50, received (1, 1, 1, 0)" in said
    assert "--gated: expected a share from 0 to 1, received 40" in said
    assert "--seed: expected" in said and "apt-get install espeak-ng" in said
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").touch()
    assert run(monkeypatch, tmp_path / "b", "--hours", 1, "--counts", 0, 0, 50) == 1
    assert "holds other files" in capsys.readouterr().err
