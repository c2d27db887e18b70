"""Clips of speech by espeak-ng, flite and festival, with voices stretched into others."""

import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from corpus_making.sounds import place, play_slower, read_sound
from corpus_making.speakers import (
    FLITE_VOICES,
    espeak_accents,
    espeak_languages,
    espeak_variants,
    festival_voices,
)
from corpus_making.streams import SAMPLES
from corpus_making.texts import new_text
from task_making.recipe import RATE, generator
from task_making.synthesizers import speak

_THREADS = 2
# Shares of the synthesizers that are installed.
_SHARES = {"espeak-ng": 0.65, "flite": 0.15, "festival": 0.2}


@dataclass(frozen=True)
class Utterance:
    """What is to be said.

    Args:
        program: the synthesizer.
        voice: of the synthesizer.
        text: what to say.
        pitch: of espeak-ng, 0 to 99.
        speed: words a minute of espeak-ng; of the others, in relation to 175.
        stretch: the factor by which it is played slower: lower, with a longer throat.
    """

    program: str
    voice: str
    text: str
    pitch: int
    speed: int
    stretch: float


def new_utterance(rng: np.random.Generator) -> Utterance:
    """A speaker and a text."""
    programs = [
        name
        for name in _SHARES
        if name == "espeak-ng" or (shutil.which(name) and (name != "festival" or festival_voices()))
    ]
    weights = np.array([_SHARES[name] for name in programs])
    program = str(rng.choice(programs, p=weights / weights.sum()))
    if program == "flite":
        voice, language = str(rng.choice(FLITE_VOICES)), "en"
    elif program == "festival":
        voice, language = festival_voices()[int(rng.integers(len(festival_voices())))]
    else:
        # A third in English; the other languages as often as each other.
        languages = espeak_accents() if rng.random() < 0.3 else espeak_languages()
        language = str(rng.choice(languages))
        voice = f"{language}+{rng.choice(espeak_variants())}"
    octaves = rng.uniform(-0.3, 0.3) if program == "espeak-ng" else rng.uniform(-0.45, 0.45)
    return Utterance(
        program,
        voice,
        new_text(rng, language),
        int(rng.integers(0, 100)),
        int(np.exp(rng.uniform(np.log(95), np.log(300)))),
        float(2.0**octaves),
    )


def say_all(utterances: list[Utterance]) -> list[np.ndarray]:
    """Each at `RATE`, without the silence around it; one that cannot be said is empty."""
    by_festival = [one for one in utterances if one.program == "festival"]
    with ThreadPoolExecutor(_THREADS) as pool:
        at_festival = pool.submit(_festival, by_festival)
        others = list(pool.map(_say, [one for one in utterances if one.program != "festival"]))
        festivals = iter(at_festival.result())
    rest = iter(others)
    sounds = [next(festivals if one.program == "festival" else rest) for one in utterances]
    return [play_slower(sound, one.stretch) for sound, one in zip(sounds, utterances, strict=True)]


def speech_clips(seed: int, block: int, clips: int) -> np.ndarray:
    """Clips of one voice after the other, or of several at once, `(clips, SAMPLES)`."""
    rng = generator(seed, "corpus", "speech", block)
    utterances = [new_utterance(rng) for _ in range(2 * clips)]
    sounds = [sound for sound in say_all(utterances) if sound.size]
    result = np.zeros((clips, SAMPLES))
    for clip in range(clips):
        kind = rng.choice(("one", "turns", "crowd"), p=(0.6, 0.22, 0.18))
        voices = {"one": 1, "turns": 2, "crowd": int(rng.integers(2, 10))}[kind]
        # The first by number, so that each utterance of the first half is heard once at least.
        chosen = [clip % len(sounds), *rng.integers(len(sounds), size=voices - 1)]
        parts = [
            sounds[number] / (np.sqrt(np.mean(sounds[number] ** 2)) + 1e-6) for number in chosen
        ]
        if kind == "turns":
            gap = np.zeros(int(rng.uniform(0.05, 0.8) * RATE))
            parts = [np.concatenate([parts[0], gap, parts[1] * rng.uniform(0.3, 1.0)])]
        for part in parts:
            result[clip] += place(part, rng) * (1.0 if len(parts) == 1 else rng.uniform(0.4, 1.0))
    return result


def _say(one: Utterance) -> np.ndarray:
    if one.program == "flite":
        return _flite(one)
    try:
        return speak(one.text, one.voice, pitch=one.pitch, speed=one.speed)
    except (RuntimeError, subprocess.CalledProcessError, soundfile.LibsndfileError):
        return np.zeros(0)


def _flite(one: Utterance) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "speech.wav")
        stretch = f"duration_stretch={175 / one.speed:.3f}"
        command = ["flite", "-voice", one.voice, "--setf", stretch, "-t", one.text, "-o", str(wav)]
        subprocess.run(command, capture_output=True, check=True)
        return read_sound(wav)


def _festival(utterances: list[Utterance]) -> list[np.ndarray]:
    """All in one call: loading a voice is the longest part."""
    if not utterances:
        return []
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number in sorted(range(len(utterances)), key=lambda i: utterances[i].voice):
            one = utterances[number]
            text = one.text.replace("\\", "").replace('"', "")
            lines += [
                f"(voice_{one.voice})",
                f"(Parameter.set 'Duration_Stretch {175 / one.speed:.3f})",
                f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{number}.wav")',
            ]
        # An error in one line does not keep the others from being read.
        subprocess.run(["festival", "--pipe"], input="\n".join(lines).encode(), capture_output=True)
        wavs = [Path(folder, f"{number}.wav") for number in range(len(utterances))]
        return [read_sound(wav) if wav.exists() else np.zeros(0) for wav in wavs]
