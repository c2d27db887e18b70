import dataclasses


@dataclasses.dataclass(frozen=True)
class RunLength:
    """How a run divides into epochs, steps, batches, and rows of the log.

    A step is one update of the weights. A row is the stretch of steps that the log tells about at
    once; the last row may be shorter.

    Args:
        steps: of the whole run.
        steps_per_epoch: steps that pass over the clips once.
        steps_per_row: steps of a row.
        batches_per_step: batches whose gradients make a step.
    """

    steps: int
    steps_per_epoch: int
    steps_per_row: int
    batches_per_step: int = 1

    @property
    def rows(self) -> int:
        """Rows of the whole run."""
        return -(-self.steps // self.steps_per_row)

    def rows_until(self, step: int) -> int:
        """Rows of the first steps, which must end with a row."""
        return -(-step // self.steps_per_row)

    def step_after_row(self, row: int) -> int:
        """Steps done when a row ends, counted from 0."""
        return min((row + 1) * self.steps_per_row, self.steps)

    def step_of_batch(self, row: int, batch: int) -> int:
        """The step, counted from 1, of a batch of a row."""
        return row * self.steps_per_row + batch // self.batches_per_step + 1

    def ends_row(self, batches: int) -> bool:
        """Whether a row ends after so many batches of the run."""
        step, part = divmod(batches, self.batches_per_step)
        return part == 0 and (step % self.steps_per_row == 0 or step == self.steps)

    def is_due(self, row: int, every: int) -> bool:
        """Whether something that happens every so many steps, or at the end, follows this row."""
        before, after = row * self.steps_per_row, self.step_after_row(row)
        return after // every > before // every or after == self.steps
