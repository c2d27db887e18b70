"""Models that take their steps together, as one set of stacked tensors."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_axlstm.evaluation.probe.adam import corrections
from keras_axlstm.evaluation.probe.candidate import Candidate
from keras_axlstm.evaluation.probe.compiled import compiled
from keras_axlstm.evaluation.probe.initial_state import State
from keras_axlstm.evaluation.probe.network import predict, train_step
from keras_axlstm.evaluation.probe.protocol import Protocol

# Numbers in the largest tensor of a group. Larger groups are slower on a CPU, where what one
# product writes should still be in the cache for the next operation.
_LARGEST_TENSOR = 2**22
_CLIPS_AT_ONCE = 8192


class Group:
    """Some models, stacked.

    Args:
        candidates: the models, all with the same number of hidden layers.
        states: of each model.
        step: number of steps that they have taken.
    """

    def __init__(self, candidates: Sequence[Candidate], states: Sequence[State], step: int) -> None:
        self.candidates = list(candidates)
        self._state = keras.tree.map_structure(
            lambda *leaves: _tensor(np.concatenate(leaves)), *states
        )
        self.step = step
        points = [candidate.point for candidate in candidates]
        self._rates = _column([point.learning_rate for point in points])
        self._dropout = _tensor(_column([point.dropout for point in points]))

    def train_epoch(self, clips: Any, labels: Any, protocol: Protocol, multilabel: bool) -> None:
        """One pass over `clips` (n, d) and `labels` (n, classes), in an order for each model."""
        orders = np.stack([c.order(len(clips), protocol.reshuffle) for c in self.candidates])
        train, _ = _compiled(multilabel)
        for start in range(0, len(clips), protocol.batch_size):
            batch = orders[:, start : start + protocol.batch_size]
            count = batch.shape[1]
            if count < 2:
                continue
            self.step += 1
            first, second = corrections(self.step)
            layers = self.candidates[0].point.hidden_layers
            kept = [
                np.stack([c.kept(count, protocol.hidden_size) for c in self.candidates])
                for _ in range(layers)
            ]
            self._state = train(
                self._state,
                clips,
                labels,
                ops.convert_to_tensor(batch),
                [ops.convert_to_tensor(mask) for mask in kept],
                self._dropout,
                _tensor(self._rates / first),
                _tensor(np.asarray(second)),
            )
        for candidate in self.candidates:
            candidate.epochs += 1

    def validate(
        self,
        clips: np.ndarray,
        score: Callable[[np.ndarray], float],
        multilabel: bool,
        patience: int,
    ) -> None:
        """Score every model on `clips` (n, d); keep the state of those that became better."""
        predictions = probabilities(self._state, clips, multilabel)
        states: list[State] | None = None
        for i, candidate in enumerate(self.candidates):
            if not np.isfinite(predictions[i]).all():
                candidate.finished = True
            elif candidate.validated(score(predictions[i]), patience):
                states = states or self.states()
                candidate.best = {
                    part: {name: value.copy() for name, value in states[i][part].items()}
                    for part in ("weights", "statistics")
                }

    def states(self) -> list[State]:
        """The state of each model, in NumPy."""
        arrays = keras.tree.map_structure(ops.convert_to_numpy, self._state)
        return [
            keras.tree.map_structure(lambda array, i=i: array[i : i + 1], arrays)
            for i in range(len(self.candidates))
        ]


def grouped(
    candidates: Sequence[Candidate], states: Sequence[State], largest: int, step: int = 0
) -> list[Group]:
    """Groups of at most `largest` models; the last sizes are powers of two.

    Powers of two, because every size of a group is compiled once.
    """
    groups, start = [], 0
    while start < len(candidates):
        size = min(largest, 2 ** ((len(candidates) - start).bit_length() - 1))
        end = start + size
        groups.append(Group(candidates[start:end], states[start:end], step))
        start = end
    return groups


def regrouped(groups: Sequence[Group], largest: int) -> list[Group]:
    """The models that have not finished. Full groups without a finished model stay as they are."""
    full: list[Group] = []
    candidates: list[Candidate] = []
    states: list[State] = []
    for group in groups:
        unfinished = [not candidate.finished for candidate in group.candidates]
        if all(unfinished) and len(unfinished) == largest:
            full.append(group)
        elif any(unfinished):
            candidates += itertools.compress(group.candidates, unfinished)
            states += itertools.compress(group.states(), unfinished)
    return full + grouped(candidates, states, largest, groups[0].step)


def largest_group(clips: int, features: int, hidden: int) -> int:
    """How many models to stack, a power of two."""
    fitting = _LARGEST_TENSOR // (max(clips, features) * hidden)
    return max(4, 2 ** (max(1, fitting).bit_length() - 1))


def probabilities(state: dict[str, Any], clips: np.ndarray, multilabel: bool) -> np.ndarray:
    """Predictions (models, n, classes) of all models for embeddings (n, d)."""
    _, predicted = _compiled(multilabel)
    state = keras.tree.map_structure(ops.convert_to_tensor, state)
    parts = [
        predicted(state["weights"], state["statistics"], _tensor(clips[i : i + _CLIPS_AT_ONCE]))
        for i in range(0, len(clips), _CLIPS_AT_ONCE)
    ]
    return np.concatenate([ops.convert_to_numpy(part) for part in parts], axis=1)


@functools.cache
def _compiled(multilabel: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (
        compiled(functools.partial(train_step, multilabel=multilabel), replaces_first=True),
        compiled(functools.partial(predict, multilabel=multilabel)),
    )


def _column(values: list[float]) -> np.ndarray:
    return np.asarray(values).reshape(-1, 1, 1)


def _tensor(array: np.ndarray) -> Any:
    return ops.convert_to_tensor(np.asarray(array, np.float32))
