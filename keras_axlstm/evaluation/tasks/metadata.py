"""`task_metadata.json` and `labelvocabulary.csv`."""

import csv
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_axlstm.evaluation.metrics import METRICS

METADATA_FILE = "task_metadata.json"
VOCABULARY_FILE = "labelvocabulary.csv"
EVENT_SCORES = (
    "event_onset_200ms_fms",
    "event_onset_50ms_fms",
    "event_onset_offset_50ms_20perc_fms",
    "segment_1s_er",
)
_EMBEDDING_TYPES = ("scene", "event")
_PREDICTION_TYPES = ("multiclass", "multilabel")
_SPLIT_MODES = ("trainvaltest", "new_split_kfold", "presplit_kfold")
_TRAIN_VALID_TEST = ("train", "valid", "test")
# What an event task may give values of to choose from, each below a limit. Times are milliseconds.
_POSTPROCESSING = {"median_filter_ms": math.inf, "min_duration": math.inf, "threshold": 1.0}
_FOLD = re.compile(r"fold\d{2,}")
# One to test, one to validate, one to train.
_FEWEST_FOLDS = 3

Problems = list[tuple[Path, str]]


@dataclass(frozen=True)
class Metadata:
    """The checked content of `task_metadata.json`; the names are those of `Task`."""

    name: str
    version: str
    mode: str
    embedding_type: Any
    prediction_type: Any
    split_mode: Any
    sample_duration: float | None
    evaluation: tuple[str, ...]
    splits: tuple[str, ...]
    event_postprocessing_grid: dict[str, tuple[float, ...]]


def read_metadata(folder: Path, problems: Problems) -> Metadata | None:
    """Read `task_metadata.json`; None, and more `problems`, if it cannot be used."""
    file = folder / METADATA_FILE
    content = read_json(file, dict, problems)
    if content is None:
        return None
    before = len(problems)
    for key, allowed in (
        ("embedding_type", _EMBEDDING_TYPES),
        ("prediction_type", _PREDICTION_TYPES),
        ("split_mode", _SPLIT_MODES),
    ):
        if content.get(key) not in allowed:
            problems.append((file, _one_of(key, allowed, content)))
    name = content.get("task_name")
    if not isinstance(name, str) or not name:
        problems.append((file, f"`task_name` must be a name. Received: {name!r}"))
    evaluation = _read_evaluation(file, content, problems)
    duration = _read_duration(file, content, problems)
    splits = _read_split_names(file, content, problems)
    grid = _read_postprocessing(file, content, problems)
    if len(problems) > before:
        return None
    return Metadata(
        str(name),
        str(content.get("version", "")),
        # Early folders lack it, but their names end with it.
        str(content.get("mode") or folder.resolve().name.rpartition("-")[2]),
        content["embedding_type"],
        content["prediction_type"],
        content["split_mode"],
        duration,
        evaluation,
        splits,
        grid,
    )


def read_vocabulary(folder: Path, problems: Problems) -> tuple[str, ...] | None:
    """The labels in the order of their indices; None, and more `problems`, if they are unusable."""
    file = folder / VOCABULARY_FILE
    try:
        with open(file, newline="", encoding="utf-8-sig") as opened:
            rows = [row for row in csv.reader(opened) if row]
    except FileNotFoundError:
        problems.append((file, "it is missing"))
        return None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append((file, f"it cannot be read: {error}"))
        return None
    if not rows or rows[0] != ["idx", "label"]:
        received = ",".join(rows[0]) if rows else "an empty file"
        problems.append((file, f"the first line must be idx,label. Received: {received}"))
        return None
    before = len(problems)
    labels: dict[int, str] = {}
    seen: set[str] = set()
    for row in rows[1:]:
        if len(row) != 2 or not row[0].isdecimal():
            problems.append((file, f"expected an index and a label, received {','.join(row)!r}"))
            continue
        if int(row[0]) in labels:
            problems.append((file, f"the index {row[0]} is there twice"))
        if row[1] in seen:
            problems.append((file, f"the label {row[1]!r} is there twice"))
        labels[int(row[0])] = row[1]
        seen.add(row[1])
    if len(problems) == before and sorted(labels) != list(range(len(labels))):
        problems.append(
            (file, f"the indices must be 0 to {len(labels) - 1}. Received: {sorted(labels)}")
        )
    if len(rows) < 3:
        problems.append((file, f"expected at least two labels, found {len(rows) - 1}"))
    if len(problems) > before:
        return None
    return tuple(labels[index] for index in range(len(labels)))


def read_json(file: Path, expected: type, problems: Problems) -> Any:
    """The content of a JSON file; None, and one more of `problems`, if it is unusable."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append((file, "it is missing"))
        return None
    except (OSError, ValueError) as error:
        problems.append((file, f"it is not readable JSON: {error}"))
        return None
    if not isinstance(content, expected):
        problems.append(
            (file, f"expected a JSON object, received a value of type {type(content).__name__}")
        )
        return None
    return content


def _one_of(key: str, allowed: tuple[str, ...], content: dict[str, Any]) -> str:
    received = repr(content[key]) if key in content else "nothing"
    return f"`{key}` must be one of {', '.join(allowed)}. Received: {received}"


def _read_evaluation(file: Path, content: dict[str, Any], problems: Problems) -> tuple[str, ...]:
    scores = content.get("evaluation")
    known = {"scene": tuple(METRICS), "event": EVENT_SCORES}.get(str(content.get("embedding_type")))
    if not isinstance(scores, list) or not scores:
        problems.append((file, f"`evaluation` must be a list of scores. Received: {scores!r}"))
        return ()
    if len(set(map(str, scores))) < len(scores):
        problems.append((file, f"`evaluation` names a score twice: {scores}"))
    for score in scores:
        if known is not None and score not in known:
            problems.append(
                (file, f"`evaluation` may name {', '.join(known)}. Received: {score!r}")
            )
    return tuple(map(str, scores))


def _read_duration(file: Path, content: dict[str, Any], problems: Problems) -> float | None:
    duration = content.get("sample_duration")
    if duration is None:
        return None
    if isinstance(duration, bool) or not isinstance(duration, (int, float)) or not duration > 0:
        problems.append(
            (
                file,
                "`sample_duration` must be a positive number of seconds, or null for clips of "
                f"different lengths. Received: {duration!r}",
            )
        )
        return None
    return float(duration)


def _read_split_names(file: Path, content: dict[str, Any], problems: Problems) -> tuple[str, ...]:
    folds = content.get("split_mode") != "trainvaltest"
    splits = content.get("splits")
    if splits is None:
        # Early folders do not list them.
        if not folds:
            return _TRAIN_VALID_TEST
        splits = sorted(path.stem for path in file.parent.glob("*.json") if _is_fold(path.stem))
    if not isinstance(splits, list) or not all(isinstance(split, str) for split in splits):
        problems.append((file, f"`splits` must be a list of names. Received: {splits!r}"))
        return ()
    if len(set(splits)) < len(splits):
        problems.append((file, f"`splits` names a split twice: {', '.join(splits)}"))
    elif not folds and sorted(splits) != sorted(_TRAIN_VALID_TEST):
        expected = ", ".join(_TRAIN_VALID_TEST)
        problems.append((file, f"`splits` must be {expected}. Received: {', '.join(splits)}"))
    elif folds:
        for split in splits:
            if not _is_fold(split):
                problems.append(
                    (file, f"`splits` must be named fold00, fold01, ... Received: {split!r}")
                )
        if len(splits) < _FEWEST_FOLDS:
            problems.append(
                (file, f"expected at least {_FEWEST_FOLDS} folds, received {len(splits)}")
            )
        if content.get("nfolds") not in (None, len(splits)):
            problems.append(
                (file, f"`nfolds` is {content['nfolds']!r}, but `splits` has {len(splits)} names")
            )
    return tuple(splits)


def _read_postprocessing(
    file: Path, content: dict[str, Any], problems: Problems
) -> dict[str, tuple[float, ...]]:
    parameters = content.get("evaluation_params")
    grid = parameters.get("event_postprocessing_grid") if isinstance(parameters, dict) else None
    if grid is None:
        return {}
    if not isinstance(grid, dict) or not all(
        isinstance(values, list)
        and values
        and all(
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and 0 <= value < _POSTPROCESSING.get(key, 0)
            for value in values
        )
        for key, values in grid.items()
    ):
        problems.append(
            (
                file,
                "`event_postprocessing_grid` may have lists of numbers for "
                f"{', '.join(_POSTPROCESSING)}: of 0 or more, a threshold below 1. "
                f"Received: {grid!r}",
            )
        )
        return {}
    return {key: tuple(map(float, values)) for key, values in grid.items()}


def _is_fold(name: str) -> bool:
    return _FOLD.fullmatch(name) is not None
