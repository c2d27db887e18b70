"""`{split}.json` and the audio files that it names."""

import os
from pathlib import Path
from typing import Any

from keras_axlstm.evaluation.tasks.clip import Clip
from keras_axlstm.evaluation.tasks.event import Event
from keras_axlstm.evaluation.tasks.metadata import Metadata, Problems, read_json
from keras_axlstm.evaluation.tasks.wav_header import read_wav_header

SAMPLING_RATE = 16000


def read_split(
    folder: Path,
    split: str,
    metadata: Metadata,
    vocabulary: frozenset[str] | None,
    problems: Problems,
) -> tuple[Clip, ...]:
    """The clips of a split. What is wrong with it is added to `problems`.

    Args:
        folder: of the task.
        split: its name.
        metadata: of the task.
        vocabulary: its labels; None if they could not be read.
        problems: grows.
    """
    file = folder / f"{split}.json"
    content = read_json(file, dict, problems)
    if content is None:
        return ()
    if not content:
        problems.append((file, "the split is empty"))
    audio = folder / str(SAMPLING_RATE) / split
    if not audio.is_dir():
        problems.append((audio, f"the folder of the audio at {SAMPLING_RATE} Hz is missing"))
    clips = []
    for name, annotation in content.items():
        if name != os.path.basename(name) or name in ("", ".", "..") or "\\" in name:
            problems.append((file, f"{name!r} is not the name of a file"))
            continue
        path = audio / name
        if audio.is_dir() and (problem := _audio_problem(path)):
            problems.append((path, problem))
        if metadata.embedding_type == "event":
            events = _read_events(annotation, vocabulary, file, name, problems)
            clips.append(Clip(path, events=events))
        else:
            multiclass = metadata.prediction_type == "multiclass"
            labels = _read_labels(annotation, multiclass, vocabulary, file, name, problems)
            clips.append(Clip(path, labels=labels))
    return tuple(clips)


def _audio_problem(path: Path) -> str:
    """Why an audio file cannot be used; empty if it can, as far as its header tells."""
    try:
        with open(path, "rb") as file:
            header = read_wav_header(file)
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except ValueError as error:
        return str(error)
    wrong = []
    if header.sampling_rate != SAMPLING_RATE:
        wrong.append(f"expected {SAMPLING_RATE} Hz, found {header.sampling_rate} Hz")
    if header.channels != 1:
        wrong.append(f"expected mono, found {header.channels} channels")
    return "; ".join(wrong)


def _read_labels(
    annotation: Any,
    multiclass: bool,
    vocabulary: frozenset[str] | None,
    file: Path,
    name: str,
    problems: Problems,
) -> tuple[str, ...]:
    if not isinstance(annotation, list) or not all(map(_is_label, annotation)):
        problems.append((file, f"{name}: expected a list of labels, received {annotation!r}"))
        return ()
    labels = tuple(map(str, annotation))
    if multiclass and len(labels) != 1:
        problems.append(
            (
                file,
                f"{name}: a clip of a multi-class task has one label, this one has {len(labels)}"
                + (f": {', '.join(labels)}" if labels else ""),
            )
        )
    elif len(set(labels)) < len(labels):
        problems.append((file, f"{name}: a label is there twice: {', '.join(labels)}"))
    for label in labels:
        _check_known(label, vocabulary, file, name, problems)
    return labels


def _read_events(
    annotation: Any,
    vocabulary: frozenset[str] | None,
    file: Path,
    name: str,
    problems: Problems,
) -> tuple[Event, ...]:
    if not isinstance(annotation, list):
        problems.append((file, f"{name}: expected a list of events, received {annotation!r}"))
        return ()
    events = []
    for event in annotation:
        times: list[Any] = [event.get("start"), event.get("end")] if isinstance(event, dict) else []
        if not times or not _is_label(event.get("label")) or not all(map(_is_number, times)):
            problems.append(
                (
                    file,
                    f"{name}: an event has a label, a start and an end in milliseconds. Received: "
                    f"{event!r}",
                )
            )
            continue
        start, end = map(float, times)
        if not 0 <= start <= end:
            problems.append((file, f"{name}: an event from {start:g} ms to {end:g} ms"))
        label = str(event["label"])
        _check_known(label, vocabulary, file, name, problems)
        events.append(Event(label, start, end))
    return tuple(sorted(events, key=lambda event: (event.start_ms, event.end_ms, event.label)))


def _check_known(
    label: str, vocabulary: frozenset[str] | None, file: Path, name: str, problems: Problems
) -> None:
    if vocabulary is not None and label not in vocabulary:
        problems.append((file, f"{name}: the label {label!r} is not in the vocabulary"))


def _is_label(value: Any) -> bool:
    """Labels that are numbers, such as pitches, are numbers in JSON too."""
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
