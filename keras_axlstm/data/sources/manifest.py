import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_axlstm.data.sources.audio_files import AudioFiles, Segment

MANIFEST_SUFFIXES = (".csv", ".parquet")


def read_manifest(path: str | os.PathLike[str], settings: Mapping[str, Any]) -> AudioFiles:
    """The clips listed in a CSV or Parquet file.

    Its column `path` names audio files, seen from the folder of the manifest. `start` and `end`, in
    seconds, choose a part of the file; an empty `end` is that of the file. All other columns, such
    as labels or a split, become the metadata of the clips.

    Raises:
        ValueError: a missing file or column, no rows, or a row that makes no sense.
        ImportError: a Parquet file without pyarrow.
    """
    manifest = Path(path)
    columns = read_columns(manifest)
    if "path" not in columns:
        raise ValueError(
            f"Expected a column `path` in {manifest}. Found: {', '.join(columns) or 'no columns'}"
        )
    names = columns.pop("path")
    if not names:
        raise ValueError(f"Expected at least one row in {manifest}. Found none.")
    for row, name in enumerate(names, 1):
        if not isinstance(name, str) or not name:
            raise ValueError(f"{manifest}, row {row}: expected a path. Received: {name!r}")
    segments = None
    if "start" in columns or "end" in columns:
        nothing = [None] * len(names)
        starts, ends = columns.pop("start", nothing), columns.pop("end", nothing)
        segments = [
            _segment(f"{manifest}, row {row}", start, end)
            for row, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        ]
    paths = [os.path.join(manifest.parent, name) for name in names]
    return AudioFiles(paths, settings, segments, columns)


def read_columns(manifest: Path) -> dict[str, Any]:
    """The columns of a CSV or Parquet file by name: lists of values, equally long.

    Raises:
        ValueError: a missing file, or one that cannot be read.
        ImportError: a Parquet file without pyarrow.
    """
    if not manifest.is_file():
        raise ValueError(f"Expected a manifest. Received: a path that is no file, {manifest}")
    return _read_parquet(manifest) if manifest.suffix == ".parquet" else _read_csv(manifest)


def _read_csv(path: Path) -> dict[str, list[Any]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        rows = [row for row in reader if row]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise ValueError(
                f"{path}, row {number}: expected {len(header)} values, as in the header. "
                f"Received: {len(row)}"
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def _read_parquet(path: Path) -> dict[str, Sequence[Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ImportError(
            "A Parquet manifest needs pyarrow: pip install 'keras-axlstm[parquet]'"
        ) from error
    try:
        return parquet.read_table(path).to_pydict()
    except ArrowException as error:
        raise ValueError(f"Expected a Parquet file. Received: {path} ({error})") from error


def _segment(place: str, start: Any, end: Any) -> Segment:
    try:
        first = 0.0 if start in (None, "") else float(start)
        last = None if end in (None, "") else float(end)
    except (TypeError, ValueError):
        first, last = math.nan, None
    if not 0 <= first < (math.inf if last is None else last):
        raise ValueError(
            f"{place}: expected 0 <= start < end in seconds, or nothing. Received: "
            f"start={start!r}, end={end!r}"
        )
    return first, last
