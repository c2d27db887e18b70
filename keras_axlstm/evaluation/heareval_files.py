"""The embedding files of heareval, of scene tasks: written for it, and read from it.

A folder holds `task_metadata.json`, `labelvocabulary.csv` and for each split

    {split}.embeddings.npy              float32, row by row, without a header (not an npy file)
    {split}.embedding-dimensions.json   [n, d]
    {split}.target-labels.pkl           a pickled list of lists of labels
"""

import csv
import json
import os
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.conversion.errors import CheckpointError
from keras_axlstm.conversion.safe_unpickler import SafeUnpickler
from keras_axlstm.evaluation.probe.probe_split import ProbeSplit
from keras_axlstm.evaluation.probe.probe_task import ProbeTask
from keras_axlstm.files import write_aside

_METADATA, _VOCABULARY = "task_metadata.json", "labelvocabulary.csv"


def write_heareval_files(
    task: ProbeTask, folder: str | os.PathLike[str], overwrite: bool = False
) -> None:
    """Write a task so that `python -m heareval.predictions.runner FOLDER` can be run on it.

    Clips are written in the order in which heareval's embedding step writes clips: shuffled once.
    It matters, because heareval does not shuffle them again.

    Args:
        task: embeddings and labels.
        folder: a new folder.
        overwrite: replace a folder that was written so before.

    Raises:
        FileExistsError: `folder` exists, or has other files in it.
    """
    metadata = {
        "task_name": task.name,
        "embedding_type": "scene",
        "prediction_type": task.prediction_type,
        "split_mode": task.split_mode,
        "splits": list(task.splits),
        "evaluation": list(task.evaluation),
    }
    shuffler = random.Random(0)
    with write_aside(folder, overwrite) as unfinished:
        unfinished.mkdir()
        (unfinished / _METADATA).write_text(json.dumps(metadata, indent=1), encoding="utf-8")
        with open(unfinished / _VOCABULARY, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("idx", "label"), *enumerate(task.labels)])
        for name, split in task.splits.items():
            order = list(range(len(split.embeddings)))
            shuffler.shuffle(order)
            embeddings, targets = split.embeddings[order], split.targets[order]
            embeddings.tofile(unfinished / f"{name}.embeddings.npy")
            dimensions = unfinished / f"{name}.embedding-dimensions.json"
            dimensions.write_text(json.dumps(embeddings.shape), encoding="utf-8")
            labels = [
                [label for label, has in zip(task.labels, row, strict=True) if has]
                for row in targets
            ]
            with open(unfinished / f"{name}.target-labels.pkl", "wb") as file:
                pickle.dump(labels, file)


def read_heareval_files(folder: str | os.PathLike[str]) -> ProbeTask:
    """The task that heareval's embedding step wrote into a folder.

    The pickled labels are read as data: nothing in them is run.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is not what it should be, with its name.
    """
    folder = Path(folder)
    metadata = _read_json(folder / _METADATA)
    if not isinstance(metadata, dict):
        raise ValueError(f"{folder / _METADATA}: expected an object, received {metadata!r}.")
    missing = {"task_name", "prediction_type", "split_mode", "splits", "evaluation"} - set(metadata)
    if missing:
        raise ValueError(f"{folder / _METADATA}: expected the keys {sorted(missing)} too.")
    if metadata.get("embedding_type", "scene") != "scene":
        raise ValueError(
            f"{folder / _METADATA}: expected embedding_type 'scene', received "
            f"{metadata['embedding_type']!r}."
        )
    labels = _read_vocabulary(folder / _VOCABULARY)
    return ProbeTask(
        metadata["task_name"],
        metadata["prediction_type"],
        metadata["split_mode"],
        tuple(metadata["evaluation"]),
        labels,
        {name: _read_split(folder, name, labels) for name in metadata["splits"]},
    )


def _read_split(folder: Path, name: str, labels: tuple[str, ...]) -> ProbeSplit:
    dimensions = _read_json(folder / f"{name}.embedding-dimensions.json")
    path = folder / f"{name}.embeddings.npy"
    embeddings = np.fromfile(path, np.float32)
    if (
        not isinstance(dimensions, list)
        or len(dimensions) != 2
        or not all(isinstance(size, int) and size > 0 for size in dimensions)
        or dimensions[0] * dimensions[1] != embeddings.size
    ):
        raise ValueError(
            f"{path}: expected as many float32 numbers as {name}.embedding-dimensions.json says, "
            f"{dimensions!r}, received {embeddings.size}. Make both again."
        )
    path = folder / f"{name}.target-labels.pkl"
    rows = _read_labels(path)
    if len(rows) != dimensions[0]:
        raise ValueError(f"{path}: expected labels of {dimensions[0]} clips, received {len(rows)}.")
    columns = {label: i for i, label in enumerate(labels)}
    targets = np.zeros((len(rows), len(labels)), bool)
    for i, row in enumerate(rows):
        unknown = [label for label in row if label not in columns]
        if unknown:
            raise ValueError(
                f"{path}: expected labels of {_VOCABULARY}, received {unknown} in clip {i}."
            )
        targets[i, [columns[label] for label in row]] = True
    return ProbeSplit(embeddings.reshape(dimensions), targets)


def _read_labels(path: Path) -> list[list[str]]:
    def refuse(persistent_id: object) -> None:
        raise CheckpointError(f"refused: it refers to {persistent_id!r}.")

    try:
        rows = SafeUnpickler({}, (), (), refuse).load(path.read_bytes())
    except CheckpointError as error:
        raise ValueError(
            f"{path}: expected a pickled list of lists of labels and nothing else. Nothing in it "
            "was run. Write the embedding files again."
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"{path}: expected a list of lists of labels, received {type(rows)}.")
    # Vocabularies of numbers are read as text, by heareval too.
    return [[str(label) for label in row] for row in rows]


def _read_vocabulary(path: Path) -> tuple[str, ...]:
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        by_index = {int(row["idx"]): row["label"] for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected the columns idx and label ({error}).") from error
    if not rows or sorted(by_index) != list(range(len(rows))):
        raise ValueError(f"{path}: expected idx from 0 to {len(rows) - 1}, each once.")
    return tuple(by_index[i] for i in range(len(rows)))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON ({error}).") from error
