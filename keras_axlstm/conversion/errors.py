"""The error of everything that reads foreign checkpoints."""


class CheckpointError(ValueError):
    """A checkpoint or state dict cannot be read, is refused, or does not fit the model."""
