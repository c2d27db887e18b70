"""Pitch: a note of an instrument, as high as one of the 88 keys of a piano."""

import numpy as np

from task_making.recipe import TRAIN_VALID_TEST, PlannedClip, Recipe, generator, split_of
from task_making.recording import record
from task_making.synthesizers import play
from task_making.voices import PROGRAMS

_SECONDS = 2.0
_LOWEST, _HIGHEST = 21, 108
_LABELS = tuple(str(key) for key in range(_LOWEST, _HIGHEST + 1))
_HELD = (0.6, 1.4)
# Of the rendered note: less is an instrument that has no such note.
_LEAST_LEVEL = 1e-3


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    """The clips of one instrument are one batch: loading the sound font is the longest part."""
    each = -(-clips // len(_LABELS))
    batches: dict[str, list[PlannedClip]] = {}
    number = 0
    turns = dict.fromkeys(TRAIN_VALID_TEST, 0)
    for index in range(each):
        split = split_of(index, each, TRAIN_VALID_TEST)
        for label in _LABELS:
            able = [key for key, highest in PROGRAMS[split].items() if int(label) <= highest]
            # They take turns, and another one begins in each round.
            program = str(able[(turns[split] + number) % len(able)])
            clip = PlannedClip(number, split, (label,), program)
            batches.setdefault(program, []).append(clip)
            number += 1
        turns[split] += 1
    return list(batches.values())


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    program = int(batch[0].source)
    rngs = [generator(seed, "pitch", clip.number) for clip in batch]
    notes = [
        (int(clip.labels[0]), int(rng.integers(50, 120)), round(float(rng.uniform(*_HELD)), 2))
        for clip, rng in zip(batch, rngs, strict=True)
    ]
    sounds = play(program, notes, _SECONDS)
    for (key, _, _), sound in zip(notes, sounds, strict=True):
        if np.abs(sound).max() < _LEAST_LEVEL:
            raise RuntimeError(f"the program {program} of the sound font is silent for {key}")
    return [
        record(sound, rng, clip.split, snr=(10, 30), wet=(0.0, 0.5))
        for clip, sound, rng in zip(batch, sounds, rngs, strict=True)
    ]


PITCH = Recipe(
    "pitch",
    "NS-5h",
    _LABELS,
    TRAIN_VALID_TEST,
    ("pitch_acc", "chroma_acc"),
    _SECONDS,
    clips=968,
    plan=_plan,
    render=_render,
    synthesizer="fluidsynth",
)
