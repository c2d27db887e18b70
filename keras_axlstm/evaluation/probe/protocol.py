"""How a probe is trained: grid, epochs, early stopping."""

import dataclasses
import itertools
import random

from keras_axlstm.evaluation.probe.grid_point import GridPoint


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The settings of a probe.

    Attributes:
        name: goes into the results.
        grid: the hyper-parameters to choose from, by the validation score on the first fold. Of
            equal scores the first wins.
        draws: None to try the whole grid; otherwise each seed tries so many points, drawn at random
            without replacement.
        reshuffle: a new order of the training clips every epoch. If not, each seed draws one order
            before the first epoch and keeps it.
        max_epochs: at most so many passes over the training clips.
        validate_every: epochs between two validations.
        patience: training ends after so many validations without a better score.
        batch_size: clips in a step. A last batch of one clip is left out: it has no variance.
        hidden_size: units of a hidden layer.
    """

    name: str
    grid: tuple[GridPoint, ...]
    draws: int | None = None
    reshuffle: bool = True
    max_epochs: int = 500
    validate_every: int = 3
    patience: int = 20
    batch_size: int = 1024
    hidden_size: int = 1024

    def __post_init__(self) -> None:
        sizes = {
            "max_epochs": self.max_epochs,
            "validate_every": self.validate_every,
            "patience": self.patience,
            "hidden_size": self.hidden_size,
            "draws": 1 if self.draws is None else self.draws,
            "number of grid points": len(self.grid),
        }
        for what, size in sizes.items():
            if size < 1:
                raise ValueError(f"Expected a {what} of at least 1, received {size}.")
        if self.batch_size < 2:
            raise ValueError(
                f"Expected a batch_size of at least 2, received {self.batch_size}: batch "
                "normalization needs two clips."
            )
        if self.max_epochs < self.validate_every:
            raise ValueError(
                f"Expected max_epochs ({self.max_epochs}) of at least validate_every "
                f"({self.validate_every}): without a validation there is no checkpoint."
            )

    def grid_of(self, seed: int) -> tuple[GridPoint, ...]:
        """The grid points that a seed tries, in their order."""
        if self.draws is None:
            return self.grid
        order = list(self.grid)
        random.Random(seed).shuffle(order)
        return tuple(order[: self.draws])


PAPER = Protocol(
    name="paper",
    grid=tuple(GridPoint(learning_rate=1e-4, dropout=dropout) for dropout in (0.1, 0.25)),
)
# In the order of scikit-learn's ParameterGrid, so that seed 42, which heareval uses, draws the
# points that heareval draws.
HEAREVAL = Protocol(
    name="heareval",
    grid=tuple(
        GridPoint(learning_rate, 0.1, layers, initialization)
        for layers, initialization, learning_rate in itertools.product(
            (1, 2), ("xavier_uniform", "xavier_normal"), (3.2e-3, 1e-3, 3.2e-4, 1e-4)
        )
    ),
    draws=8,
    reshuffle=False,
)
FAST = Protocol(
    name="fast",
    grid=(GridPoint(learning_rate=1e-3, dropout=0.25),),
    max_epochs=100,
    validate_every=2,
    patience=10,
)
PROTOCOLS = {protocol.name: protocol for protocol in (PAPER, HEAREVAL, FAST)}
