from collections.abc import Sequence
from dataclasses import dataclass

# Crops that are read together. A worker process hands over that many at a time: so many that
# handing them over costs little, so few that a batch is read by several workers at once.
_CHUNK = 32


@dataclass(frozen=True)
class BatchPlan:
    """Which positions of the global order one process reads for each batch.

    Batch `t` of all processes together is `[t * batch_size, (t + 1) * batch_size)`, and each
    process has one contiguous part of it. A batch is read in chunks.

    Args:
        batch_size: crops of a batch, over all processes.
        num_crops: crops of the whole run, or None for no end. With a number that is not a multiple
            of `batch_size` the last batch is smaller.
        process_index: this process.
        process_count: all processes; they divide `batch_size`.
    """

    batch_size: int
    num_crops: int | None
    process_index: int = 0
    process_count: int = 1

    @property
    def rows(self) -> int:
        """Crops of a batch in this process."""
        return self.batch_size // self.process_count

    @property
    def chunks(self) -> int:
        """Chunks of a batch."""
        return -(-self.rows // _CHUNK)

    @property
    def num_batches(self) -> int:
        """Batches of the run; a number too large to count to if it has no end."""
        if self.num_crops is None:
            return 2**62 // (self.batch_size + self.chunks)
        return -(-self.num_crops // self.batch_size)

    def positions(self, batch: int, chunk: int) -> Sequence[int]:
        """The positions of a chunk of a batch; none if the last batch has no such chunk."""
        first = batch * self.batch_size + self.process_index * self.rows
        start = first + chunk * _CHUNK
        stop = min(start + _CHUNK, first + self.rows)
        return range(start, stop if self.num_crops is None else min(stop, self.num_crops))
