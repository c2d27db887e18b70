"""The clips of one split, as arrays."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class ProbeSplit:
    """Embeddings and labels.

    Attributes:
        embeddings: (n, d) float32.
        targets: which classes each clip has, (n, classes) bool.
    """

    embeddings: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        embeddings = np.ascontiguousarray(self.embeddings, np.float32)
        targets = np.asarray(self.targets).astype(bool)
        if embeddings.ndim != 2 or targets.ndim != 2 or len(embeddings) != len(targets):
            raise ValueError(
                "Expected embeddings (n, d) and targets (n, classes), received "
                f"{embeddings.shape} and {targets.shape}."
            )
        if not targets.size or not embeddings.size:
            raise ValueError(
                "Expected at least one clip, one number and one class, received embeddings "
                f"{embeddings.shape} and targets {targets.shape}."
            )
        bad = int((~np.isfinite(embeddings)).any(axis=1).sum())
        if bad:
            raise ValueError(
                f"Expected finite embeddings, received NaN or infinity in {bad} of "
                f"{len(embeddings)} clips: mend the model that made them."
            )
        object.__setattr__(self, "embeddings", embeddings)
        object.__setattr__(self, "targets", targets)

    def contents(self) -> Iterator[bytes]:
        """Embeddings and targets, and what else a split has, for a hash."""
        yield self.embeddings.tobytes()
        yield self.targets.tobytes()

    @staticmethod
    def joined(splits: Sequence["ProbeSplit"]) -> "ProbeSplit":
        """The clips of all splits, in order."""
        return ProbeSplit(
            np.concatenate([split.embeddings for split in splits]),
            np.concatenate([split.targets for split in splits]),
        )
