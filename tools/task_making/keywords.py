"""Keyword spotting: ten words, other words, and no word, in a second of audio."""

import numpy as np

from task_making.recipe import (
    RATE,
    TRAIN_VALID_TEST,
    PlannedClip,
    Recipe,
    generator,
    plan_classes,
)
from task_making.recording import coloured_noise, normalize, place, record
from task_making.speech import accent, variant
from task_making.synthesizers import speak
from task_making.words import KEYWORDS, OTHER_WORDS

_SECONDS = 1.0
_LABELS = ("_silence_", "_unknown_", *sorted(KEYWORDS))


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _LABELS, TRAIN_VALID_TEST, variant)


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, generator(seed, "keywords", planned.number)) for planned in batch]


def _clip(planned: PlannedClip, rng: np.random.Generator) -> np.ndarray:
    samples = round(_SECONDS * RATE)
    (label,) = planned.labels
    if label == "_silence_":
        # Noise whose level wavers, so that it is not told from the others by being steady.
        knots = rng.uniform(0.05, 1, 9)
        envelope = np.interp(np.linspace(0, 8, samples), np.arange(9), knots)
        noise = normalize(coloured_noise(rng, samples, rng.uniform(0, 1))) * envelope
        return record(noise, rng, planned.split, snr=(0, 15))
    word = str(rng.choice(OTHER_WORDS[planned.split])) if label == "_unknown_" else label
    speech = speak(
        word,
        f"{accent(planned.split, rng)}+{planned.source}",
        pitch=int(rng.integers(20, 90)),
        speed=int(rng.integers(120, 240)),
    )
    return record(place(speech, samples, rng), rng, planned.split, snr=(2, 20))


KEYWORD_SPOTTING = Recipe(
    "keyword_spotting",
    "SC-5h",
    _LABELS,
    TRAIN_VALID_TEST,
    ("top1_acc",),
    _SECONDS,
    clips=960,
    plan=_plan,
    render=_render,
    synthesizer="espeak-ng",
)
