"""Load the golden arrays made with the authors' code."""

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden"


def load_golden(name: str) -> dict[str, np.ndarray]:
    """All arrays of `tests/golden/{name}.npz`."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)
