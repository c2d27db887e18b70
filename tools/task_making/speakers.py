"""Speaker count: from none to nine voices at once, at the same level in total."""

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
from task_making.speech import accent
from task_making.synthesizers import speak
from task_making.voices import VARIANTS
from task_making.words import SENTENCE_WORDS

_SECONDS = 3.0
_LABELS = tuple(str(count) for count in range(10))
_WORDS = 8


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _LABELS, TRAIN_VALID_TEST, lambda split, number: "several")


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, generator(seed, "speakers", planned.number)) for planned in batch]


def _clip(planned: PlannedClip, rng: np.random.Generator) -> np.ndarray:
    samples = round(_SECONDS * RATE)
    count = int(planned.labels[0])
    if count == 0:
        noise = coloured_noise(rng, samples, rng.uniform(0, 1))
        return record(noise, rng, planned.split, snr=(0, 20))
    voices = rng.choice(VARIANTS[planned.split], count, replace=False)
    pitches = rng.permutation(np.linspace(10, 95, count).astype(int))
    clip = np.zeros(samples)
    for voice, pitch in zip(voices, pitches, strict=True):
        speech = speak(
            " ".join(rng.choice(SENTENCE_WORDS[planned.split], _WORDS, replace=False)),
            f"{accent(planned.split, rng)}+{voice}",
            pitch=int(pitch),
            speed=int(rng.integers(140, 210)),
        )
        clip += normalize(place(speech, samples, rng)) * 10 ** (rng.uniform(-4, 0) / 20)
    return record(clip, rng, planned.split, snr=(8, 25))


SPEAKER_COUNT = Recipe(
    "speaker_count",
    "LC",
    _LABELS,
    TRAIN_VALID_TEST,
    ("top1_acc",),
    _SECONDS,
    clips=800,
    plan=_plan,
    render=_render,
    synthesizer="espeak-ng",
)
