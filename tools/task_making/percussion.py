"""Percussion: two gongs that bend up and down, cymbals and a clapper, each in many sizes."""

import numpy as np

from task_making.recipe import FOLDS, RATE, PlannedClip, Recipe, generator, plan_classes
from task_making.recording import normalize, place, record
from task_making.synthesis import band, burst, modes, seconds

_SECONDS = 1.5
_LABELS = ("clapper", "cymbals", "gong_falling", "gong_rising")
_INSTRUMENTS_OF_A_FOLD = 12


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(
        clips, _LABELS, FOLDS, lambda split, number: f"{split}-{number % _INSTRUMENTS_OF_A_FOLD}"
    )


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    return [_clip(planned, seed) for planned in batch]


def _clip(planned: PlannedClip, seed: int) -> np.ndarray:
    (label,) = planned.labels
    rng = generator(seed, "percussion", planned.number)
    instrument = generator(seed, "percussion instrument", label, planned.source)
    samples = round(1.2 * RATE)
    if label.startswith("gong"):
        sound = _gong(instrument, rng, samples, rising=label == "gong_rising")
    elif label == "cymbals":
        sound = _cymbals(instrument, rng, samples)
    else:
        sound = _clapper(instrument, rng, samples)
    clip = place(sound, round(_SECONDS * RATE), rng)
    return record(clip, rng, planned.split, snr=(3, 20))


def _gong(
    instrument: np.random.Generator, rng: np.random.Generator, samples: int, rising: bool
) -> np.ndarray:
    lowest = instrument.uniform(220, 700)
    ratios = np.concatenate([[1.0], 1 + np.cumsum(instrument.uniform(0.25, 0.7, 9))])
    gains = instrument.uniform(0.2, 1, 10) / np.sqrt(ratios)
    decays = instrument.uniform(0.3, 0.9, 10) / ratios**0.3
    # The harder the stroke, the further it bends.
    bend = instrument.uniform(0.2, 0.4) * rng.uniform(0.7, 1.2)
    bent = bend * (1 - np.exp(-seconds(samples) / instrument.uniform(0.1, 0.3)))
    # Both pass through the same pitches, in opposite order.
    track = 2 ** (bent - bend / 2 if rising else bend / 2 - bent)
    sound = modes(samples, lowest * ratios, gains, decays, track)
    return normalize(sound * np.minimum(seconds(samples) / 0.004, 1))


def _cymbals(instrument: np.random.Generator, rng: np.random.Generator, samples: int) -> np.ndarray:
    frequencies = instrument.uniform(300, 7000, 40)
    decays = instrument.uniform(0.05, 0.6) * instrument.uniform(0.5, 1.5, 40)
    plates = normalize(modes(samples, frequencies, instrument.uniform(0.2, 1, 40), decays))
    hiss = band(rng, samples, instrument.uniform(800, 2500), 7500)
    return normalize(plates + hiss * burst(samples, 0.002, decays.mean()) * rng.uniform(0.5, 2))


def _clapper(instrument: np.random.Generator, rng: np.random.Generator, samples: int) -> np.ndarray:
    frequencies = instrument.uniform(500, 3000) * np.array([1, 1.6, 2.3, 3.1])
    decay = instrument.uniform(0.02, 0.2)
    body = normalize(modes(samples, frequencies, (1, 0.7, 0.5, 0.3), decay / np.arange(1, 5)))
    click = band(rng, samples, 700, 7000) * burst(samples, 0.0005, decay * 0.7)
    return normalize(body + click * rng.uniform(0.5, 3))


PERCUSSION = Recipe(
    "percussion",
    "BO",
    _LABELS,
    FOLDS,
    ("top1_acc",),
    _SECONDS,
    clips=720,
    plan=_plan,
    render=_render,
)
