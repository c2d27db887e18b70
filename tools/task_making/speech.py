"""Who speaks in the tasks of speech."""

import numpy as np

from task_making.recipe import generator
from task_making.voices import ACCENTS, VARIANTS


def variant(split: str, number: int) -> str:
    """A voice of a split, for the clip of a number."""
    return str(generator(0, "variant", split, number).choice(VARIANTS[split]))


def accent(split: str, rng: np.random.Generator) -> str:
    """An accent of English of a split."""
    return str(rng.choice(ACCENTS[split]))
