"""Batches of whole clips with their labels, for training and prediction."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# Batches that are made at the same time, and that wait for their turn.
_THREADS = 4
_BATCHES_AHEAD = 8


def clip_batches(
    clips: Sequence[Any],
    *columns: np.ndarray,
    batch_size: int,
    preprocess: Callable[..., Any],
    passes: int = 1,
    shuffle: bool = False,
) -> tuple[Any, int]:
    """A `grain.IterDataset` of preprocessed batches, and the number of batches in a pass.

    Args:
        clips: paths or waveforms `(samples,)` of any lengths.
        *columns: arrays `(clips, ...)` such as labels.
        batch_size: clips in a batch; the last one may hold fewer.
        preprocess: a list of clips, and the columns, to arrays.
        passes: times that the clips are gone through.
        shuffle: draw a new order for each pass.

    Raises:
        ValueError: no clips, or columns of another length.
    """
    import grain

    if not len(clips):
        raise ValueError("There must be at least one clip. Received: none")
    lengths = [len(column) for column in columns]
    if any(length != len(clips) for length in lengths):
        raise ValueError(
            "Clips, labels and sample weights must be equally many. Received: "
            f"{len(clips)} clips, and {' and '.join(map(str, lengths))}"
        )
    rows = grain.MapDataset.source(_Rows(clips, *columns))
    if shuffle:
        # Repeating them draws a new order each time.
        rows = rows.shuffle(seed=random.randrange(2**31))
    batches = rows.batch(batch_size, batch_fn=_collate).map(lambda batch: preprocess(*batch))
    read_ahead = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_BATCHES_AHEAD)
    return batches.repeat(passes).to_iter_dataset(read_ahead), len(batches)


class _Rows:
    """Columns as a random-access source of rows."""

    def __init__(self, *columns: Any):
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(column[index] for column in self._columns)


def _collate(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    clips, *columns = zip(*rows, strict=True)
    return list(clips), *(np.stack(column) for column in columns)
