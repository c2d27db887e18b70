"""Usage: KERAS_BACKEND=jax python tools/make_golden_embeddings.py

Writes tests/golden/pretrained.npz: what the presets with weights make of the clips in
examples/audio, in float32, for the tests to compare every backend with.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.golden import GOLDEN  # noqa: E402
from tests.support.pretrained import (  # noqa: E402
    PRETRAINED,
    embeddings_of_the_examples,
    reconstructed_examples,
)

# Hidden patches that are kept of each preset.
PATCHES = 200


def main() -> None:
    arrays = {}
    for name in PRETRAINED:
        arrays[f"{name}_embeddings"] = embeddings_of_the_examples(name)
        arrays[f"{name}_reconstruction"] = reconstructed_examples(name)[0][:PATCHES]
    np.savez_compressed(GOLDEN / "pretrained.npz", **arrays)


if __name__ == "__main__":
    main()
