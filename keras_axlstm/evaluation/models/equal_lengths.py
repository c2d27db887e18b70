from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


def map_equal_lengths(
    compute: Callable[[np.ndarray], Iterable[Result]], clips: Sequence[np.ndarray]
) -> list[Result]:
    """Compute on clips in batches of one length, and give the results in the order of the clips.

    Nothing is padded, so that a clip's result does not depend on the others.

    Args:
        compute: `(clips, samples)` to one result a clip.
        clips: `(samples,)` each.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, clip in enumerate(clips):
        by_length[clip.size].append(index)
    results: dict[int, Result] = {}
    for indices in by_length.values():
        batch = np.stack([clips[index] for index in indices])
        results.update(zip(indices, compute(batch), strict=True))
    return [results[index] for index in range(len(clips))]
