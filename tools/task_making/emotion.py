"""Emotion-like prosody: the same words in six manners, told apart by how pitch and level move.

The pitch, the speed and the level of a speaker overlap between manners: they shift them far less
than the speakers differ.
"""

from dataclasses import dataclass

import numpy as np

from task_making.recipe import (
    RATE,
    TRAIN_VALID_TEST,
    PlannedClip,
    Recipe,
    generator,
    plan_classes,
)
from task_making.recording import place, record
from task_making.speech import accent, variant
from task_making.synthesizers import speak
from task_making.words import SENTENCE_WORDS

_SECONDS = 2.0
_WORDS = 3


@dataclass(frozen=True)
class Manner:
    """How something is said.

    Args:
        speed: relative to the speaker's.
        pitch: of the voice, in steps of the synthesizer, on the speaker's.
        intonation: how far the synthesizer moves the pitch, in percent.
        slide: octaves by which the pitch rises from beginning to end.
        tremor: least and greatest rate in Hz of a wavering of the pitch.
        tremor_depth: of it, in octaves.
        attack: from 0, an even level, to 1, stress on the beginning of each syllable.
        fade: decibels by which the level falls from beginning to end.
    """

    speed: float = 1.0
    pitch: int = 0
    intonation: int = 100
    slide: float = 0.0
    tremor: tuple[float, float] = (5.0, 6.0)
    tremor_depth: float = 0.0
    attack: float = 0.0
    fade: float = 0.0


_MANNERS = {
    "anger": Manner(speed=1.1, intonation=150, slide=-0.15, attack=0.9, fade=-6),
    "disgust": Manner(speed=0.9, pitch=-6, intonation=50, slide=-0.35, attack=0.3, fade=9),
    "fear": Manner(speed=1.12, pitch=6, tremor=(7, 10), tremor_depth=0.16, slide=0.1),
    "happy": Manner(speed=1.05, pitch=4, intonation=190, slide=0.35, attack=0.3, fade=-4),
    "neutral": Manner(),
    "sad": Manner(
        speed=0.85, pitch=-4, intonation=30, slide=-0.1, tremor=(2.5, 4), tremor_depth=0.07, fade=10
    ),
}
_LABELS = tuple(_MANNERS)


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _LABELS, TRAIN_VALID_TEST, variant)


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, generator(seed, "emotion", planned.number)) for planned in batch]


def _clip(planned: PlannedClip, rng: np.random.Generator) -> np.ndarray:
    manner = _MANNERS[planned.labels[0]]
    words = " ".join(rng.choice(SENTENCE_WORDS[planned.split], _WORDS, replace=False))
    intonation = round(manner.intonation * rng.uniform(0.8, 1.2))
    speech = speak(
        f'<speak><prosody range="{intonation}%">{words}</prosody></speak>',
        f"{accent(planned.split, rng)}+{planned.source}",
        pitch=int(np.clip(rng.integers(25, 75) + manner.pitch, 0, 99)),
        speed=round(rng.uniform(150, 210) * manner.speed),
        markup=True,
    )
    spoken = _level(_bend(speech, manner, rng), manner, rng)
    clip = place(spoken, round(_SECONDS * RATE), rng)
    return record(clip, rng, planned.split, snr=(8, 25))


def _bend(speech: np.ndarray, manner: Manner, rng: np.random.Generator) -> np.ndarray:
    """Move the pitch by playing faster and slower."""
    place_in_clip = np.linspace(-0.5, 0.5, speech.size)
    octaves = manner.slide * rng.uniform(0.8, 1.3) * place_in_clip
    cycles = rng.uniform(*manner.tremor) * np.arange(speech.size) / RATE + rng.uniform()
    octaves += manner.tremor_depth * rng.uniform(0.7, 1.2) * np.sin(2 * np.pi * cycles)
    position = np.cumsum(2.0**octaves)
    wanted = np.arange(0, position[-1], position[-1] / speech.size)
    return (
        np.interp(
            np.interp(wanted, position, np.arange(speech.size)), np.arange(speech.size), speech
        )
        if octaves.any()
        else speech
    )


def _level(speech: np.ndarray, manner: Manner, rng: np.random.Generator) -> np.ndarray:
    """Move the level: stress where a syllable begins, and a fall to the end."""
    width = round(0.02 * RATE)
    power = np.convolve(np.square(speech), np.ones(width) / width, "same")
    slow = np.convolve(power, np.ones(8 * width) / (8 * width), "same")
    stress = np.clip(power / (slow + 1e-6), 0.1, 3) ** (manner.attack * rng.uniform(0.7, 1.1))
    fall = -manner.fade * rng.uniform(0.7, 1.2) * np.linspace(-0.5, 0.5, speech.size)
    return speech * stress * 10 ** (fall / 20)


EMOTION = Recipe(
    "emotion",
    "CD",
    _LABELS,
    TRAIN_VALID_TEST,
    ("top1_acc",),
    _SECONDS,
    clips=900,
    plan=_plan,
    render=_render,
    synthesizer="espeak-ng",
)
