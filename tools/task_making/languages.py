"""Language identification: words of ten languages, spoken by the same voices."""

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
from task_making.speech import variant
from task_making.synthesizers import speak
from task_making.words import LANGUAGES, words_of

_SECONDS = 3.0
_LABELS = tuple(LANGUAGES)
_WORDS = 6


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _LABELS, TRAIN_VALID_TEST, variant)


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, generator(seed, "languages", planned.number)) for planned in batch]


def _clip(planned: PlannedClip, rng: np.random.Generator) -> np.ndarray:
    (language,) = planned.labels
    words = rng.choice(words_of(language, planned.split), _WORDS, replace=False)
    speech = speak(
        " ".join(words),
        f"{language}+{planned.source}",
        pitch=int(rng.integers(20, 80)),
        speed=int(rng.integers(140, 220)),
    )
    clip = place(speech, round(_SECONDS * RATE), rng)
    return record(clip, rng, planned.split, snr=(5, 25))


LANGUAGE_IDENTIFICATION = Recipe(
    "language_identification",
    "VL",
    _LABELS,
    TRAIN_VALID_TEST,
    ("top1_acc",),
    _SECONDS,
    clips=800,
    plan=_plan,
    render=_render,
    synthesizer="espeak-ng",
)
