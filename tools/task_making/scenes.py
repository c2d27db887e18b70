"""Scenes: from none to four environmental sounds at once, of twenty-four kinds."""

import numpy as np

from task_making.environment import SOUNDS
from task_making.recipe import (
    RATE,
    TRAIN_VALID_TEST,
    PlannedClip,
    Recipe,
    generator,
    split_of,
)
from task_making.recording import coloured_noise, normalize, record

_SECONDS = 3.0
_BATCH = 24
_LABELS = (
    *("alarm_clock", "applause", "bee", "bicycle_bell", "bird_trill", "church_bell", "clock_tick"),
    *("cow", "cricket", "crow", "dog", "door_knock", "drill", "engine", "fire", "frog"),
    *("glass_breaking", "helicopter", "rain", "sea_waves", "siren", "steam", "thunder", "typing"),
)


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    rng = generator(seed, "scenes plan")
    planned = []
    for number in range(clips):
        count = int(rng.choice(5, p=(0.04, 0.26, 0.3, 0.25, 0.15)))
        labels = tuple(sorted(rng.choice(_LABELS, count, replace=False)))
        split = split_of(number, clips, TRAIN_VALID_TEST)
        planned.append(PlannedClip(number, split, tuple(map(str, labels)), f"{split}-{number}"))
    return [planned[start : start + _BATCH] for start in range(0, clips, _BATCH)]


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, generator(seed, "scenes", planned.source)) for planned in batch]


def _clip(planned: PlannedClip, rng: np.random.Generator) -> np.ndarray:
    samples = round(_SECONDS * RATE)
    clip = normalize(coloured_noise(rng, samples, rng.uniform(0, 1))) * 0.1
    for label in planned.labels:
        length = round(rng.uniform(1.5, _SECONDS) * RATE)
        sound = normalize(SOUNDS[label](rng, length))
        start = int(rng.integers(0, samples - length + 1))
        clip[start : start + length] += sound * 10 ** (rng.uniform(-9, 0) / 20)
    return record(clip, rng, planned.split, snr=(8, 25))


SCENES = Recipe(
    "scenes",
    "F50K",
    _LABELS,
    TRAIN_VALID_TEST,
    ("mAP", "d_prime", "aucroc"),
    _SECONDS,
    clips=900,
    plan=_plan,
    render=_render,
    multilabel=True,
)
