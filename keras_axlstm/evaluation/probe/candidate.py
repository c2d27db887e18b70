"""One model to train, and what became of it."""

import math

import numpy as np

from keras_axlstm.evaluation.probe.grid_point import GridPoint
from keras_axlstm.evaluation.probe.initial_state import State, initial_state

_INITIAL, _ORDER, _DROPOUT = range(3)
_LEVELS = 2**16


class Candidate:
    """One model of a batch: its random numbers, and its best checkpoint so far.

    Everything random comes from NumPy and from (seed, fold) alone. So a result depends neither on
    the other models of a batch nor on the backend, and the grid points of a seed start alike.

    Attributes:
        seed, fold, point: what it is.
        best: state at the best validation; None before the first.
        score: validation score of `best`.
        epoch: epochs trained at `best`.
        epochs: epochs trained in all.
        finished: whether training has ended.
    """

    def __init__(self, seed: int, fold: int, point: GridPoint) -> None:
        self.seed, self.fold, self.point = seed, fold, point
        self.best: State | None = None
        self.score = -math.inf
        self.epoch = self.epochs = 0
        self.finished = False
        self._waited = 0
        self._order_rng, self._dropout_rng = self._rng(_ORDER), self._rng(_DROPOUT)
        self._order: np.ndarray | None = None

    def initial_state(self, features: int, hidden: int, classes: int) -> State:
        """The state before the first step."""
        return initial_state(self.point, features, hidden, classes, self._rng(_INITIAL))

    def order(self, clips: int, reshuffle: bool) -> np.ndarray:
        """The order of the training clips in the next epoch, (clips,) int32."""
        if self._order is None or reshuffle:
            self._order = self._order_rng.permutation(clips).astype(np.int32)
        return self._order

    def kept(self, clips: int, hidden: int) -> np.ndarray:
        """What dropout keeps in the next step, (clips, hidden) bool."""
        count = clips * hidden
        words = self._dropout_rng.bit_generator.random_raw(-(-count // 4))
        kept = words.view(np.uint16)[:count] >= round(self.point.dropout * _LEVELS)
        return kept.reshape(clips, hidden)

    def validated(self, score: float, patience: int) -> bool:
        """Note a validation score; True if it is the best so far."""
        if score > self.score:
            self.score, self.epoch, self._waited = score, self.epochs, 0
            return True
        self._waited += 1
        self.finished = self._waited >= patience
        return False

    def _rng(self, stream: int) -> np.random.Generator:
        sequence = np.random.SeedSequence((self.seed, self.fold, stream))
        return np.random.Generator(np.random.SFC64(sequence))
