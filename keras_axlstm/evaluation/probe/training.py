"""Train the models of one fold together, each until it stops improving."""

import functools
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_axlstm.evaluation.probe.candidate import Candidate
from keras_axlstm.evaluation.probe.group import grouped, largest_group, regrouped
from keras_axlstm.evaluation.probe.probe_split import ProbeSplit
from keras_axlstm.evaluation.probe.probe_task import ProbeTask
from keras_axlstm.evaluation.probe.protocol import Protocol


def train(
    candidates: Sequence[Candidate],
    task: ProbeTask,
    train_splits: Sequence[str],
    valid: str,
    protocol: Protocol,
) -> None:
    """Train every candidate on some splits of a task; each then holds its best checkpoint.

    Models of the same depth take their steps together. One that has not improved for
    `protocol.patience` validations, or whose predictions are no longer finite, leaves the batch.
    """
    train_split = ProbeSplit.joined([task.splits[name] for name in train_splits])
    for depth in sorted({candidate.point.hidden_layers for candidate in candidates}):
        together = [c for c in candidates if c.point.hidden_layers == depth]
        _train_together(together, task, train_split, valid, protocol)


def _train_together(
    candidates: list[Candidate],
    task: ProbeTask,
    train_split: ProbeSplit,
    valid: str,
    protocol: Protocol,
) -> None:
    count, features = train_split.embeddings.shape
    classes, hidden = train_split.targets.shape[1], protocol.hidden_size
    largest = largest_group(min(count, protocol.batch_size), features, hidden)
    states = [c.initial_state(features, hidden, classes) for c in candidates]
    groups = grouped(candidates, states, largest)
    clips = ops.convert_to_tensor(train_split.embeddings)
    labels = ops.convert_to_tensor(train_split.targets.astype(np.float32))

    score = functools.partial(task.validation_score, valid)
    embeddings = task.splits[valid].embeddings
    for _ in range(protocol.max_epochs // protocol.validate_every):
        for group in groups:
            for _ in range(protocol.validate_every):
                group.train_epoch(clips, labels, protocol, task.multilabel)
            group.validate(embeddings, score, task.multilabel, protocol.patience)
        groups = regrouped(groups, largest)
        if not groups:
            break
