"""A hand drum with two heads: which of ten strokes it is, and which of six tonics it is tuned to.

The right head rings in harmonics of the tonic, the left is a bass that can be bent, and both can be
slapped without ringing.
"""

from dataclasses import dataclass

import numpy as np

from task_making.recipe import FOLDS, RATE, PlannedClip, Recipe, generator, plan_classes
from task_making.recording import normalize, place, record
from task_making.synthesis import band, burst, modes, seconds

_SECONDS = 1.0
_DRUMS_OF_A_FOLD = 10
_TONICS = {"B": 11, "C": 12, "C#": 13, "D": 14, "D#": 15, "E": 16}
_C2 = 65.41


@dataclass(frozen=True)
class Stroke:
    """How the drum is struck.

    Args:
        ring: how loud the first five harmonics of the right head are.
        ring_time: how long they ring, relative to the drum.
        bass: how loud the left head is.
        bend: octaves by which the left head is bent.
        slap: how loud the slap is.
        bright: centre of the slap in Hz.
    """

    ring: tuple[float, ...] = (0, 0, 0, 0, 0)
    ring_time: float = 1.0
    bass: float = 0.0
    bend: float = 0.0
    slap: float = 0.1
    bright: float = 1500.0


_STROKES = {
    "bheem": Stroke(ring=(0.2, 1, 0.5, 0.2, 0.1), bass=1.0, bend=0.45),
    "cha": Stroke(ring=(0.1, 0.3, 1, 0.6, 0.3), ring_time=0.7, slap=0.3),
    "dheem": Stroke(ring=(0.2, 1, 0.5, 0.2, 0.1), bass=1.0, bend=-0.45),
    "dhin": Stroke(ring=(0.2, 1, 0.5, 0.2, 0.1)),
    "num": Stroke(ring=(1, 0.3, 0.25, 0.1, 0.05)),
    "ta": Stroke(slap=1.0, bright=3000),
    "tha": Stroke(bass=0.7, slap=0.7, bright=900),
    "tham": Stroke(ring=(1, 0.3, 0.25, 0.1, 0.05), bass=0.8),
    "thi": Stroke(ring=(0.6, 0.6, 0.3, 0.2, 0.1), ring_time=0.08, slap=0.6),
    "thom": Stroke(bass=1.0, bend=-0.45),
}
_STROKE_LABELS = tuple(_STROKES)
_RINGING = ("bheem", "cha", "dheem", "dhin", "num", "tham")
_TONIC_LABELS = tuple(_TONICS)


def _drum(split: str, number: int) -> str:
    return f"{split}-{number % _DRUMS_OF_A_FOLD}"


def _plan_stroke(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _STROKE_LABELS, FOLDS, _drum)


def _plan_tonic(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _TONIC_LABELS, FOLDS, _drum)


def _render_stroke(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    clips = []
    for planned in batch:
        rng = generator(seed, "stroke", planned.number)
        tonic = str(rng.choice(_TONIC_LABELS))
        clips.append(_clip(planned, rng, planned.labels[0], tonic, seed))
    return clips


def _render_tonic(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    clips = []
    for planned in batch:
        rng = generator(seed, "tonic", planned.number)
        stroke = str(rng.choice(_RINGING))
        clips.append(_clip(planned, rng, stroke, planned.labels[0], seed))
    return clips


def _clip(
    planned: PlannedClip, rng: np.random.Generator, stroke: str, tonic: str, seed: int
) -> np.ndarray:
    drum = generator(seed, "drum", planned.source)
    # The tonic is a note of any of three octaves, so that no single frequency tells it.
    note = _TONICS[tonic] + 12 * int(rng.integers(3))
    sound = _strike(drum, rng, _STROKES[stroke], note)
    return record(place(sound, round(_SECONDS * RATE), rng), rng, planned.split, snr=(0, 18))


def _strike(
    drum: np.random.Generator, rng: np.random.Generator, stroke: Stroke, note: int
) -> np.ndarray:
    samples = round(0.9 * RATE)
    # What belongs to the drum is drawn first, so that it is the same in all of its clips.
    detuned = drum.normal(0, 0.012, 5)
    ringing = drum.uniform(0.15, 0.5) * drum.uniform(0.6, 1.2, 5)
    tilt = drum.uniform(-0.3, 0.5)
    bass_pitch, bass_time = drum.uniform(60, 110), drum.uniform(0.1, 0.35)
    slap_width, slap_time = drum.uniform(1.3, 2.2), drum.uniform(0.01, 0.04)

    fundamental = _C2 * 2 ** ((note + rng.normal(0, 0.18)) / 12)
    numbers = np.arange(1, 6)
    gains = np.array(stroke.ring) * numbers**-tilt * rng.uniform(0.6, 1.5, 5)
    head = modes(samples, fundamental * numbers * (1 + detuned), gains, ringing * stroke.ring_time)
    bend = stroke.bend * rng.uniform(0.7, 1.2)
    track = 2 ** (bend * (1 - np.exp(-seconds(samples) / 0.08)) - bend / 2)
    bass = modes(
        samples,
        bass_pitch * np.array([1, 2.1, 3.3]),
        (1, 0.6, 0.4),
        bass_time * np.array([1, 0.7, 0.5]),
        track,
    )
    slap = band(rng, samples, stroke.bright / slap_width, stroke.bright * slap_width)
    slap *= burst(samples, 0.001, slap_time)
    # The hands do not come down at quite the same time, nor with the same force.
    late = round(rng.uniform(0, 0.015) * RATE)
    hands = head + np.pad(bass, (late, 0))[:samples] * stroke.bass * rng.uniform(0.6, 1.5)
    return normalize(hands + slap * stroke.slap * rng.uniform(0.5, 1.6))


STROKE = Recipe(
    "stroke",
    "Mri-S",
    _STROKE_LABELS,
    FOLDS,
    ("top1_acc",),
    _SECONDS,
    clips=900,
    plan=_plan_stroke,
    render=_render_stroke,
)
TONIC = Recipe(
    "tonic",
    "Mri-T",
    _TONIC_LABELS,
    FOLDS,
    ("top1_acc",),
    _SECONDS,
    clips=900,
    plan=_plan_tonic,
    render=_render_tonic,
)
