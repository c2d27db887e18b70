"""The generated tasks: what is in the folders, and that the labels can be heard."""

import itertools
import json
import sys

import numpy as np
import pytest
import soundfile

import make_tasks
from keras_axlstm.evaluation.tasks import read_task, read_tasks
from task_making.environment import SOUNDS
from task_making.recipe import FOLDS, RATE, PlannedClip, generator
from task_making.recipes import RECIPES
from task_making.recording import record
from task_making.synthesis import glide, modes, tone
from task_making.synthesizers import missing_synthesizers, play, speak
from task_making.voices import ACCENTS, PROGRAMS, VARIANTS
from task_making.words import LANGUAGES, OTHER_WORDS, SENTENCE_WORDS, words_of

pytestmark = pytest.mark.any_backend

# Table 1 of the paper, by the columns of Table 2; the F50K task has fewer labels here.
COLUMNS = {
    **{"SC-5h": 12, "VL": 10, "LC": 10, "CD": 6, "NS-5h": 88, "BO": 4, "Mri-S": 10, "Mri-T": 6},
    **{"E50": 50, "F50K": 24},
}


def make(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["make_tasks.py", *map(str, arguments)])
    return make_tasks.main()


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_recipes_are_those_of_the_paper():
    assert {recipe.column: len(recipe.labels) for recipe in RECIPES.values()} == COLUMNS
    assert all(recipe.clips >= 600 for recipe in RECIPES.values())
    assert all(1 <= recipe.seconds <= 4 for recipe in RECIPES.values())
    assert sum(recipe.splits == FOLDS for recipe in RECIPES.values()) == 4


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_plans(recipe):
    clips = list(itertools.chain.from_iterable(recipe.plan(recipe.clips, 0)))
    assert len(clips) >= recipe.clips
    assert len({clip.number for clip in clips}) == len(clips)
    assert all(set(clip.labels) <= set(recipe.labels) for clip in clips)
    by_split = {split: [clip for clip in clips if clip.split == split] for split in recipe.splits}
    assert sum(map(len, by_split.values())) == len(clips)
    for in_split in by_split.values():
        assert {label for clip in in_split for label in clip.labels} == set(recipe.labels)
    if recipe.name != "speaker_count":
        sources = [{clip.source for clip in in_split} for in_split in by_split.values()]
        for one, other in itertools.combinations(sources, 2):
            assert one.isdisjoint(other)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_least_number_of_clips_fills_every_split(recipe):
    clips = itertools.chain.from_iterable(recipe.plan(recipe.least_clips, 0))
    assert {clip.split for clip in clips} == set(recipe.splits)


@pytest.mark.parametrize("by_split", [VARIANTS, PROGRAMS, OTHER_WORDS, SENTENCE_WORDS])
def test_nothing_reserved_is_in_two_splits(by_split):
    values = [value for split in by_split.values() for value in split]
    assert len(set(values)) == len(values)


def test_accents_of_the_test_and_words_of_the_languages():
    assert set(ACCENTS["test"]).isdisjoint(ACCENTS["train"] + ACCENTS["valid"])
    for language in LANGUAGES:
        words = [words_of(language, split) for split in ("train", "valid", "test")]
        assert list(map(len, words)) == [12, 6, 6]
        assert len(set(sum(words, []))) == 24, language


def test_folders(tmp_path, monkeypatch):
    names = ["percussion", "tonic", "scenes"]
    out = tmp_path / "one"
    assert make(monkeypatch, out, "--tasks", *names, "--clips", 30, "--processes", 1) == 0
    tasks = {task.name: task for task in read_tasks(out)}
    assert set(tasks) == set(names)
    assert tasks["percussion"].split_mode == "presplit_kfold"
    assert tasks["scenes"].prediction_type == "multilabel"
    assert tasks["scenes"].evaluation == ("mAP", "d_prime", "aucroc")
    for task in tasks.values():
        metadata = json.loads((task.folder / "task_metadata.json").read_text())
        assert metadata["paper_column"] == RECIPES[task.name].column
        assert metadata["made_by"]["seed"] == 0 and metadata["made_by"]["synthesizers"] == []
        for clip in itertools.chain.from_iterable(task.splits.values()):
            samples, rate = soundfile.read(clip.path)
            assert rate == RATE and len(samples) == round(task.sample_duration * RATE)
            assert soundfile.info(clip.path).subtype == "PCM_16"
            assert 0.005 < np.abs(samples).max() < 0.96
    # Neither the number of processes nor the other tasks matter; the seed does.
    again = [tmp_path / "two", "--tasks", "percussion", "--clips", 30]
    assert make(monkeypatch, *again, "--processes", 2) == 0
    folder = "percussion-1.0-mini"
    assert contents(tmp_path / "two" / folder) == contents(out / folder)
    assert make(monkeypatch, *again, "--processes", 1, "--seed", 1, "--overwrite") == 0
    assert contents(tmp_path / "two" / folder) != contents(out / folder)


def test_errors_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "percussion-1.0-mini").mkdir()
    assert make(monkeypatch, tmp_path, "--clips", 100) == 1
    said = capsys.readouterr().err
    assert "needs the program espeak-ng, which is not installed: apt-get install espeak-ng" in said
    assert "apt-get install fluidsynth fluid-soundfont-gm" in said
    assert "pitch needs at least 440 clips, received 100" in said
    assert "percussion-1.0-mini: there already" in said and "--overwrite" in said
    assert [path.name for path in tmp_path.iterdir()] == ["percussion-1.0-mini"]
    for wrong in (["--seed", "-1"], ["--processes", "0"], ["--tasks", "birds"]):
        with pytest.raises(SystemExit):
            make(monkeypatch, tmp_path, *wrong)


@pytest.mark.parametrize("name", SOUNDS)
def test_environmental_sounds(name):
    sounds = [SOUNDS[name](generator(seed, name), 24000) for seed in (0, 1)]
    for sound in sounds:
        assert sound.shape == (24000,) and np.isfinite(sound).all() and np.abs(sound).max() > 1e-3
    assert not np.array_equal(*sounds)


def pitch_of(sound: np.ndarray, keys: np.ndarray) -> int:
    """The key at whose period the sound repeats itself best; of equally good ones the highest."""
    padded = 1 << (2 * sound.size - 1).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(sound, padded)) ** 2)
    lags = RATE / (440 * 2 ** ((keys - 69) / 12))
    fit = np.interp(lags, np.arange(padded), correlation)
    # At first it falls from the lag 0, where everything is like itself.
    peaks = 1 + np.flatnonzero((fit[1:-1] > fit[:-2]) & (fit[1:-1] > fit[2:]))
    return int(keys[peaks[fit[peaks] >= 0.97 * fit[peaks].max()][-1]])


def frequency_of(sound: np.ndarray) -> float:
    """Where the spectrum is highest, in Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 1 << 17))
    return float(np.argmax(spectrum)) * RATE / (1 << 17)


def test_building_blocks():
    assert frequency_of(tone(440.0, RATE, (1.0, 0.2))) == pytest.approx(440, abs=0.2)
    rising = tone(glide(200, 800, RATE), RATE, (1.0,))
    assert frequency_of(rising[:1600]) < 250 and frequency_of(rising[-1600:]) > 700
    struck = modes(RATE, (300, 900), (1.0, 0.2), (0.5, 0.1))
    assert frequency_of(struck) == pytest.approx(300, abs=1)
    fall = np.abs(struck[8000:8100]).max() / np.abs(struck[:100]).max()
    assert fall == pytest.approx(np.exp(-1), rel=0.15)


def test_rooms_keep_the_pitch_and_differ_between_splits():
    sound = tone(440.0, RATE, (1.0, 0.5))
    train, test = (
        record(sound, generator(0), split, wet=(0.7, 0.7)) for split in ("train", "test")
    )
    assert frequency_of(train) == pytest.approx(440, abs=1)
    assert not np.allclose(train, test)


def test_gongs_bend_as_labelled():
    """By the strongest frequency at the beginning and at the end."""
    recipe, right = RECIPES["percussion"], 0
    clips = [
        PlannedClip(number, "fold00", (label,), f"fold00-{number}")
        for number, label in enumerate(["gong_falling", "gong_rising"] * 6)
    ]
    for clip, sound in zip(clips, recipe.render(clips, 0), strict=True):
        loudest = int(np.argmax(np.convolve(np.square(sound), np.ones(400), "same")))
        spectra = [
            np.abs(np.fft.rfft(part * np.hanning(part.size), 1 << 15)) ** 2
            for part in (sound[loudest : loudest + 1600], sound[loudest + 4800 :][:1600])
        ]
        # How far one is to be moved, in octaves, to lie on the other.
        octaves = np.arange(np.log2(200), np.log2(6000), 0.01)
        first, later = (
            np.interp(2**octaves, np.fft.rfftfreq(1 << 15, 1 / RATE), spectrum) ** 0.25
            for spectrum in spectra
        )
        first, later = first - first.mean(), later - later.mean()
        shifts = np.arange(-45, 46)
        fit = [np.dot(first[50:-50], np.roll(later, -shift)[50:-50]) for shift in shifts]
        right += (shifts[int(np.argmax(fit))] > 0) == (clip.labels == ("gong_rising",))
    assert right >= 10


# === With the synthesizers ===


def test_notes_have_the_labelled_pitch(synthesizers):
    keys = [33, 45, 57, 69, 81]
    around = np.arange(24, 96)
    for program in (7, 71, 79):
        sounds = play(program, [(key, 100, 0.6) for key in keys], 0.8)
        assert [pitch_of(sound[1600:9600], around) for sound in sounds] == keys


def test_speech(synthesizers):
    for voice in ("en-us+f2", "fi+m1"):
        speech = speak("hello", voice, pitch=40, speed=160)
        assert 0.2 < speech.size / RATE < 1.5 and 0.05 < np.abs(speech).max() <= 1
        np.testing.assert_array_equal(speech, speak("hello", voice, pitch=40, speed=160))
    slow = speak("hello there", "en-us+f2", speed=100)
    assert slow.size > 1.3 * speak("hello there", "en-us+f2", speed=200).size


def test_a_task_of_speech(tmp_path, monkeypatch, synthesizers):
    recipe = RECIPES["keyword_spotting"]
    arguments = ["--tasks", recipe.name, "--clips", recipe.least_clips, "--processes", 1]
    assert make(monkeypatch, tmp_path, *arguments) == 0
    task = read_task(tmp_path / recipe.folder)
    assert task.labels == recipe.labels
    metadata = json.loads((task.folder / "task_metadata.json").read_text())
    assert "eSpeak NG" in metadata["made_by"]["synthesizers"][0]


@pytest.mark.parametrize("name", ["language_identification", "speaker_count", "emotion"])
def test_clips_of_speech(synthesizers, name):
    recipe = RECIPES[name]
    batch = recipe.plan(recipe.least_clips, 0)[0][: len(recipe.labels)]
    clips = recipe.render(batch, 0)
    assert [clip.labels[0] for clip in batch] == list(recipe.labels)
    assert {clip.shape for clip in clips} == {(round(recipe.seconds * RATE),)}
    np.testing.assert_array_equal(clips[1], recipe.render(batch[1:2], 0)[0])


def test_pitch_clips(synthesizers):
    """The label can be heard through the room and the noise."""
    recipe = RECIPES["pitch"]
    batch = [PlannedClip(i, "test", (str(key),), "79") for i, key in enumerate((45, 57, 69, 76))]
    found = [pitch_of(sound[1600:9600], np.arange(36, 96)) for sound in recipe.render(batch, 0)]
    assert found == [45, 57, 69, 76]


def test_every_voice_speaks(synthesizers):
    for variant in itertools.chain.from_iterable(VARIANTS.values()):
        assert speak("go", f"en-us+{variant}").size > 1000, variant
    for accent in itertools.chain.from_iterable(ACCENTS.values()):
        assert speak("go", accent).size > 1000, accent


def test_synthesizers_are_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert missing_synthesizers([]) == []
    assert len(missing_synthesizers(["espeak-ng", "fluidsynth"])) == 2
