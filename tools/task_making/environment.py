"""Environmental sounds: fifty kinds, of machines, nature, animals and things that happen."""

import numpy as np

from task_making.animals import ANIMALS
from task_making.happenings import HAPPENINGS
from task_making.machines import MACHINES
from task_making.nature import NATURE
from task_making.recipe import FOLDS, RATE, PlannedClip, Recipe, generator, plan_classes
from task_making.recording import normalize, record

SOUNDS = dict(sorted((ANIMALS | HAPPENINGS | MACHINES | NATURE).items()))
_SECONDS = 2.0
_LABELS = tuple(SOUNDS)


def _plan(clips: int, seed: int) -> list[list[PlannedClip]]:
    return plan_classes(clips, _LABELS, FOLDS, lambda split, number: f"{split}-{number}")


def _render(batch: list[PlannedClip], seed: int) -> list[np.ndarray]:
    clips = []
    for planned in batch:
        rng = generator(seed, "environment", planned.source)
        sound = normalize(SOUNDS[planned.labels[0]](rng, round(_SECONDS * RATE)))
        clips.append(record(sound, rng, planned.split, snr=(3, 20)))
    return clips


ENVIRONMENT = Recipe(
    "environment",
    "E50",
    _LABELS,
    FOLDS,
    ("top1_acc",),
    _SECONDS,
    clips=1000,
    plan=_plan,
    render=_render,
)
