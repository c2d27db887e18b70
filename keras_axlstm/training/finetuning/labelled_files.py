"""Audio files with their classes, from folders or a manifest."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_axlstm.data.find_audio_files import AUDIO_SUFFIXES, find_audio_files
from keras_axlstm.data.sources.manifest import read_columns
from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError

PARTS = ("train", "validation", "test")
# Other names in use for the parts.
_PART_NAMES = dict(zip(PARTS, PARTS, strict=True)) | {
    "training": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
_SEPARATOR = ";"

Problems = list[tuple[str | Path, str]]


@dataclasses.dataclass(frozen=True)
class LabelledFiles:
    """Audio files, their classes, and the parts of a training that they are for.

    Attributes:
        root: the folder that the files are named from.
        paths: the files.
        labels: names of classes of each file, exactly one without `multi_label`.
        parts: `"train"`, `"validation"` or `"test"` for each file, or None where no split is given.
        class_names: in the order of the classifier's scores.
        multi_label: whether a file may have several classes or none.
    """

    root: Path
    paths: list[Path]
    labels: list[tuple[str, ...]]
    parts: list[str] | None
    class_names: list[str]
    multi_label: bool

    def names(self) -> list[str]:
        """The files as seen from the root."""
        return [Path(os.path.relpath(path, self.root)).as_posix() for path in self.paths]


def read_folder(
    folder: str | os.PathLike[str], classes: Sequence[str] | None = None
) -> LabelledFiles:
    """The files of a folder that has a sub-folder for each class.

    In place of the classes the folder may have `train`, and `validation` or `test` or both, each
    with a sub-folder for each class. Hidden folders are passed over.

    Args:
        folder: where to look.
        classes: the only names that there may be, in this order. By default all, sorted.

    Raises:
        LabelledDataError: lists everything that is wrong; a `ValueError`.

    Example:

    ```python
    import shutil
    from pathlib import Path

    from keras_axlstm.training.finetuning.labelled_files import read_folder

    for name in ("rain.ogg", "melody.flac"):
        Path("clips", Path(name).stem).mkdir(parents=True)
        shutil.copy(f"examples/audio/{name}", Path("clips", Path(name).stem))
    read_folder("clips").class_names  # ["melody", "rain"]
    ```
    """
    root = Path(folder)
    if not root.is_dir():
        received = "a file" if root.exists() else "a path that does not exist"
        raise LabelledDataError([(root, f"expected a folder, received {received}")])
    parts = {path: _PART_NAMES.get(path.name) for path in _folders(root)}
    is_split = bool(parts) and None not in parts.values()
    sources = parts if is_split else {root: None}
    paths: list[Path] = []
    labels: list[tuple[str, ...]] = []
    split: list[str | None] = []
    problems: Problems = []
    for source, part in sources.items():
        loose = sorted(
            path.name
            for path in source.iterdir()
            if path.is_file() and path.suffix.lower() in AUDIO_SUFFIXES
        )
        if loose:
            more = f" and {len(loose) - 1} more" if loose[1:] else ""
            problems.append(
                (source, f"expected audio in a sub-folder for each class, found {loose[0]}{more}")
            )
        for class_folder in _folders(source):
            if classes is not None and class_folder.name not in classes:
                problems.append((class_folder, _unknown(class_folder.name, classes)))
                continue
            try:
                found = find_audio_files(class_folder)
            except ValueError:
                problems.append((class_folder, "the class has no audio files"))
                continue
            paths += found
            labels += [(class_folder.name,)] * len(found)
            split += [part] * len(found)
    if not paths and not problems:
        problems.append((root, "expected a sub-folder of audio files for each class, found none"))
    if problems:
        raise LabelledDataError(problems)
    names = sorted({row[0] for row in labels}) if classes is None else list(classes)
    given = [part for part in split if part is not None]
    return _check_classes(LabelledFiles(root, paths, labels, given or None, names, False), root)


def read_labels(
    manifest: str | os.PathLike[str], classes: Sequence[str] | None = None
) -> LabelledFiles:
    """The files that a CSV or Parquet file lists.

    The column `path` (or `file`) names files, seen from the folder of the manifest. `label` holds a
    name of a class, `labels` several or none, separated by semicolons. `split`, which may be
    missing, says `train`, `validation` or `test`.

    Args:
        manifest: path of the file.
        classes: the only labels that there may be, in this order. By default all, sorted.

    Raises:
        LabelledDataError: lists everything that is wrong; a `ValueError`.
        ImportError: a Parquet file without pyarrow.

    Example:

    ```python
    from pathlib import Path

    from keras_axlstm.training.finetuning.labelled_files import read_labels

    Path("labels.csv").write_text(
        "path,label\\nexamples/audio/rain.ogg,rain\\nexamples/audio/melody.flac,music\\n"
    )
    read_labels("labels.csv").class_names  # ["music", "rain"]
    ```
    """
    manifest = Path(manifest)
    try:
        columns = read_columns(manifest)
    except (ValueError, OSError) as error:
        raise LabelledDataError([(manifest, str(error))]) from error
    problems: Problems = []
    names = _only_column(columns, ("path", "file"), manifest, problems)
    cells = _only_column(columns, ("label", "labels"), manifest, problems)
    if {"start", "end"} & set(columns):
        problems.append((manifest, "parts of files (`start`, `end`) cannot be labelled: cut them"))
    if problems:
        raise LabelledDataError(problems)
    labels = [_labels(cell) for cell in cells]
    multi_label = "labels" in columns or any(len(row) > 1 for row in labels)
    rows = [f"{manifest}, row {row}" for row in range(1, len(names) + 1)]
    paths = [Path(os.path.join(manifest.parent, str(name or ""))) for name in names]
    parts = columns.get("split")
    for i, row in enumerate(rows):
        if not names[i]:
            problems.append((row, "expected a path, received none"))
        elif not paths[i].is_file():
            problems.append((row, f"the file {paths[i]} does not exist"))
        if not labels[i] and "label" in columns:
            problems.append((row, "expected a label, received none"))
        for label in labels[i]:
            if classes is not None and label not in classes:
                problems.append((row, _unknown(label, classes)))
        if parts is not None and parts[i] not in _PART_NAMES:
            expected = ", ".join(PARTS)
            problems.append((row, f"expected a split among {expected}, received {parts[i]!r}"))
    for path, count in Counter(map(os.path.abspath, paths)).items():
        if count > 1:
            problems.append((manifest, f"lists {path} {count} times"))
    if problems:
        raise LabelledDataError(problems)
    split = None if parts is None else [_PART_NAMES[part] for part in parts]
    class_names = sorted({label for row in labels for label in row})
    if classes is not None:
        class_names = list(classes)
    files = LabelledFiles(manifest.parent, paths, labels, split, class_names, multi_label)
    return _check_classes(files, manifest)


def read_classes(path: str | os.PathLike[str]) -> list[str]:
    """Class names from a text file, one a line.

    Raises:
        LabelledDataError: a file that cannot be read, has no names, or one of them twice.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelledDataError([(Path(path), f"cannot be read: {error}")]) from error
    names = [line.strip() for line in lines if line.strip()]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice or not names:
        found = f"found twice: {', '.join(twice)}" if twice else "found none"
        raise LabelledDataError([(Path(path), f"expected different names of classes, {found}")])
    return names


def _only_column(
    columns: dict[str, Any], names: tuple[str, str], manifest: Path, problems: Problems
) -> Sequence[Any]:
    """The column that has one of two names."""
    found = [name for name in names if name in columns]
    if len(found) == 1 and columns[found[0]]:
        return columns[found[0]]
    expected = " or ".join(f"`{name}`" for name in names)
    received = "no rows" if len(found) == 1 else ", ".join(columns) or "no columns"
    problems.append((manifest, f"expected a column {expected}, received {received}"))
    return ()


def _labels(cell: Any) -> tuple[str, ...]:
    names = (name.strip() for name in str("" if cell is None else cell).split(_SEPARATOR))
    return tuple(dict.fromkeys(name for name in names if name))


def _unknown(label: str, classes: Sequence[str]) -> str:
    return f"the label {label!r} is not in the list of classes: {', '.join(classes)}"


def _check_classes(files: LabelledFiles, place: Path) -> LabelledFiles:
    """Refuse too few classes, and classes that no file has, also in the training part."""
    problems: Problems = []
    least = 1 if files.multi_label else 2
    names = ", ".join(files.class_names) or "none"
    if len(files.class_names) < least:
        problems.append((place, f"expected at least {least} classes, received: {names}"))
    present = {label for row in files.labels for label in row}
    problems += [
        (place, f"the class {name!r} has no files")
        for name in files.class_names
        if name not in present
    ]
    if files.parts is not None:
        rows = zip(files.labels, files.parts, strict=True)
        trained = {label for row, part in rows if part == "train" for label in row}
        problems += [
            (place, f"the class {name!r} has no files in the part `train`")
            for name in files.class_names
            if name in present - trained
        ]
    if problems:
        raise LabelledDataError(problems)
    return files


def _folders(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
