from collections.abc import Callable, Sequence
from typing import Any

import grain
import numpy as np

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.batch_plan import BatchPlan
from keras_axlstm.data.crop_reader import CropReader
from keras_axlstm.data.unreadable_files import UnreadableFiles

# Reading threads in this process. A worker process has one, and a short queue of its own.
_THREADS = 4
Chunk = tuple[np.ndarray, list[AudioFileError]]


class CropBatches(grain.IterDataset):
    """Batches of crops as a grain data set.

    Reading is grain's, in threads or worker processes. The position is ours: a number of batches,
    which holds for any number of threads, workers and processes.

    Args:
        reader: reads crops by their positions.
        plan: which positions.
        num_workers: processes that read; 0: threads of this one.
        unreadable: told of clips that could not be read.
    """

    def __init__(
        self, reader: CropReader, plan: BatchPlan, num_workers: int, unreadable: UnreadableFiles
    ) -> None:
        super().__init__()
        self._reader = reader
        self._plan = plan
        self._num_workers = num_workers
        self._unreadable = unreadable

    def __iter__(self) -> "_CropIterator":
        return _CropIterator(self._from, self._unreadable)

    def _from(self, batch: int) -> grain.DatasetIterator:
        """Batches from that one on, with the errors."""
        plan = self._plan
        dataset: Any = grain.MapDataset.source(_Chunks(self._reader, plan, batch))
        ahead = 2 * plan.chunks
        if self._num_workers:
            options = grain.ReadOptions(num_threads=1, prefetch_buffer_size=2)
        else:
            options = grain.ReadOptions(
                num_threads=_THREADS, prefetch_buffer_size=max(_THREADS, ahead)
            )
        dataset = dataset.to_iter_dataset(options)
        if self._num_workers:
            _mark_flags_as_parsed()
            dataset = dataset.mp_prefetch(
                grain.MultiprocessingOptions(
                    num_workers=self._num_workers,
                    per_worker_buffer_size=max(2, -(-ahead // self._num_workers)),
                )
            )
        return iter(dataset.batch(plan.chunks, batch_fn=_join))


class _CropIterator(grain.DatasetIterator):
    """Counts batches, and makes the reading anew to go to another place."""

    def __init__(
        self, iterate_from: Callable[[int], grain.DatasetIterator], unreadable: UnreadableFiles
    ) -> None:
        super().__init__()
        self._iterate_from = iterate_from
        self._unreadable = unreadable
        self._batch = 0
        # Made at the first batch, so that no worker starts in vain before a `set_state`.
        self._inner: grain.DatasetIterator | None = None

    def __next__(self) -> np.ndarray:
        if self._inner is None:
            self._inner = self._iterate_from(self._batch)
        crops, errors = next(self._inner)
        self._unreadable.add(errors, none_left=len(crops) == 0)
        self._batch += 1
        return crops

    def get_state(self) -> dict[str, int]:
        return {"batches": self._batch}

    def set_state(self, state: dict[str, int]) -> None:
        try:
            batch = int(state["batches"])
        except (KeyError, TypeError, ValueError):
            batch = -1
        if batch < 0:
            raise ValueError(
                "Expected a state that `get_state` gave: a dict with the number of `batches`. "
                f"Received: {state!r}"
            )
        self._stop()
        self._batch = batch

    def close(self) -> None:
        self._stop()
        super().close()

    def _stop(self) -> None:
        if self._inner is not None:
            self._inner.close()
            self._inner = None


class _Chunks:
    """The chunks of all batches from one on, by index, as grain reads a data source."""

    def __init__(self, reader: CropReader, plan: BatchPlan, first_batch: int) -> None:
        self._reader = reader
        self._plan = plan
        self._first_batch = first_batch

    def __len__(self) -> int:
        return max(0, self._plan.num_batches - self._first_batch) * self._plan.chunks

    def __getitem__(self, index: int) -> Chunk:
        batch, chunk = divmod(index, self._plan.chunks)
        return self._reader.read(self._plan.positions(self._first_batch + batch, chunk))


def _join(chunks: Sequence[Chunk]) -> Chunk:
    crops = [crops for crops, _ in chunks]
    errors = [error for _, errors in chunks for error in errors]
    return crops[0] if len(crops) == 1 else np.concatenate(crops), errors


def _mark_flags_as_parsed() -> None:
    from absl import flags

    # grain looks at its command-line flags when it starts a worker, and fails in a program that
    # never parsed any.
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
