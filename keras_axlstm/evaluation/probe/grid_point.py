"""The hyper-parameters that a grid search varies."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class GridPoint:
    """One choice of hyper-parameters.

    Attributes:
        learning_rate: of Adam.
        dropout: the fraction of hidden units that is dropped.
        hidden_layers: 1 or more.
        initialization: "xavier_normal" or "xavier_uniform".
    """

    learning_rate: float
    dropout: float
    hidden_layers: int = 1
    initialization: str = "xavier_normal"

    def __post_init__(self) -> None:
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Expected 0 <= dropout < 1, received {self.dropout}.")
        if self.learning_rate <= 0.0:
            raise ValueError(f"Expected a positive learning_rate, received {self.learning_rate}.")
        if self.hidden_layers < 1:
            raise ValueError(f"Expected at least 1 hidden layer, received {self.hidden_layers}.")
        if self.initialization not in ("xavier_normal", "xavier_uniform"):
            raise ValueError(
                "Expected initialization 'xavier_normal' or 'xavier_uniform', received "
                f"{self.initialization!r}."
            )
