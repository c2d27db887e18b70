"""Models on tasks: embeddings, probes, results."""

import datetime
import hashlib
import importlib.metadata
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_axlstm.evaluation.cache import embed_task
from keras_axlstm.evaluation.events import EventProbeTask, EventSplit
from keras_axlstm.evaluation.events.event_scores import SEGMENT_ERROR_RATE, require_sed_eval
from keras_axlstm.evaluation.events.postprocessing import postprocessing_grid
from keras_axlstm.evaluation.models import EvaluationModel
from keras_axlstm.evaluation.probe import PROTOCOLS, ProbeSplit, ProbeTask, run_probe
from keras_axlstm.evaluation.report import RunResult

if TYPE_CHECKING:
    from keras_axlstm.evaluation.tasks import Task

# Its results are not those of the present probe when this changes.
PROBE_VERSION = 1


def evaluate(
    model: EvaluationModel,
    task: "Task",
    results_dir: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str],
    protocol: str = "paper",
    num_seeds: int = 10,
    batch_size: int = 64,
    progress: bool = True,
) -> RunResult:
    """Measure a model on a task, unless that was done before.

    Args:
        model: from `open_model`.
        task: from `read_task`.
        results_dir: folder for the results, `MODEL-IDENTITY/TASK-PROTOCOL-SEEDS-DIGEST.json`. A
            result is taken from there if embeddings, labels, protocol and seeds are the same.
        cache_dir: folder for embeddings, see `embed_task`.
        protocol: `"paper"`, `"heareval"` or `"fast"`.
        num_seeds: of the probe: 0, 1, 2, ...
        batch_size: clips given to the model at a time.
        progress: show progress bars.

    Returns:
        The result, as it is in its file.

    Raises:
        ValueError: an unknown protocol, an event task that is not multi-label, whose primary
            score is an error rate or that has nothing to find in a split, or what `embed_task` and
            `run_probe` refuse.
        ImportError: an event task without sed_eval (extra `events`).

    Example:

    ```python
    from keras_axlstm.evaluation import evaluate, open_model, read_task

    task = read_task("tasks/esc50-v2.0.0-full")  # doctest: +SKIP
    result = evaluate(open_model("logmel"), task, "evaluation", "cache")  # doctest: +SKIP
    result.mean, result.half_width  # percent
    ```
    """
    check_measurable([task], protocol)
    started = time.monotonic()
    embeddings = embed_task(model, task, cache_dir, batch_size, progress)
    probe_task = _probe_task(task, embeddings)
    embedded = time.monotonic()
    settings = json.loads(json.dumps({**asdict(PROTOCOLS[protocol]), "version": PROBE_VERSION}))
    digest = _inputs_digest(probe_task)
    path = (
        Path(results_dir)
        / f"{_file_name(model.name)}-{model.identity[:8]}"
        / f"{task.folder.name}-{protocol}-{num_seeds}-{digest[:8]}.json"
    )
    if path.exists():
        earlier = RunResult.load(path)
        if (earlier.inputs_digest, earlier.protocol) == (digest, settings):
            return earlier
    probe = run_probe(probe_task, protocol, range(num_seeds))
    result = RunResult(
        model=model.name,
        model_identity=model.identity,
        task=task.folder.name,
        task_digest=task_digest(task),
        inputs_digest=digest,
        protocol=settings,
        num_seeds=num_seeds,
        probe=probe.as_json(),
        details={
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "embedding_dim": probe_task.features,
            "embedding_seconds": round(embedded - started, 1),
            "probe_seconds": round(time.monotonic() - embedded, 1),
            "backend": keras.backend.backend(),
            "keras_axlstm": importlib.metadata.version("keras-axlstm"),
        },
    )
    result.save(path)
    return result


def check_measurable(tasks: Sequence["Task"], protocol: str) -> None:
    """Raise ValueError or ImportError for what `evaluate` cannot do, before any work."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of {tuple(PROTOCOLS)}. Received: {protocol!r}")
    events = [task for task in tasks if task.embedding_type == "event"]
    for task in events:
        if task.evaluation[0] == SEGMENT_ERROR_RATE or task.prediction_type != "multilabel":
            raise ValueError(
                f"{task.folder.name}: expected a multilabel event task whose first score is an "
                f"F-measure. Received: {task.prediction_type}, {task.evaluation[0]}. Mend its "
                "task_metadata.json, or name the other tasks with --tasks."
            )
        for split, clips in task.splits.items():
            if split != "train" and not any(clip.events for clip in clips):
                raise ValueError(
                    f"{task.folder.name}: expected events in the split {split}, where they are to "
                    "be found. Received: none. Name the other tasks with --tasks."
                )
    if events:
        require_sed_eval()


def task_digest(task: "Task") -> str:
    """Hash of the names, labels and events of a task's clips: the same for all models."""
    clips = {
        split: [(clip.path.name, clip.labels, *map(astuple, clip.events)) for clip in clips]
        for split, clips in task.splits.items()
    }
    content = json.dumps([task.folder.name, task.labels, task.evaluation, clips])
    return hashlib.sha256(content.encode()).hexdigest()


def _probe_task(task: "Task", embeddings: dict[str, Any]) -> ProbeTask:
    settings = (
        task.folder.name,
        task.prediction_type,
        task.split_mode,
        task.evaluation,
        task.labels,
    )
    if task.embedding_type == "event":
        return EventProbeTask(
            *settings,
            {
                split: EventSplit.of(
                    embeddings[split], [clip.events for clip in clips], task.labels
                )
                for split, clips in task.splits.items()
            },
            postprocessing_grid(task.event_postprocessing_grid),
        )
    column = {label: index for index, label in enumerate(task.labels)}
    splits = {}
    for split, clips in task.splits.items():
        targets = np.zeros((len(clips), len(task.labels)), bool)
        for row, clip in enumerate(clips):
            targets[row, [column[label] for label in clip.labels]] = True
        splits[split] = ProbeSplit(embeddings[split], targets)
    return ProbeTask(*settings, splits)


def _inputs_digest(task: ProbeTask) -> str:
    settings = [task.prediction_type, task.split_mode, task.evaluation, task.labels]
    sha = hashlib.sha256(json.dumps(settings).encode())
    for part in task.contents():
        sha.update(part)
    return sha.hexdigest()


def _file_name(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", model).strip("._") or "model"
