"""Result files: a JSON file that grows with every case, and a Markdown table beside it."""

import dataclasses
import datetime
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarking.cases import Case, Group
from benchmarking.report import markdown

# What must agree for cases of an earlier run to stand in one table with new ones.
SAME = ("cpu", "cores", "gpu", "versions", "commit", "dirty", "variables")


class Results:
    """The records of a run, on disk after every case: what is done survives an interruption.

    Args:
        folder: where the two files go; made if missing. No existing file is touched.
        environment: of `environment.describe`.
        notes: lines for the reader, such as what could not be measured.
        carried: records of an earlier run.
    """

    def __init__(
        self,
        folder: Path,
        environment: dict[str, Any],
        notes: Sequence[str] = (),
        carried: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._content = {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "environment": environment,
            "notes": list(notes),
            "records": list(carried),
        }
        folder.mkdir(parents=True, exist_ok=True)
        self.json_path, self.markdown_path = reserve(folder, stem(environment))
        self._write()

    @property
    def records(self) -> list[dict[str, Any]]:
        return self._content["records"]

    @property
    def failed(self) -> int:
        """Number of cases with an error."""
        return sum("error" in record for record in self.records)

    def add(self, record: dict[str, Any]) -> None:
        """Add a record, in the place of an older one of the same case."""
        self._content["records"] = [
            older for older in self.records if older["case"] != record["case"]
        ] + [record]
        self._write()

    def table(self) -> str:
        """The Markdown report."""
        return markdown(self._content)

    def _write(self) -> None:
        _replace(self.json_path, json.dumps(self._content, indent=1) + "\n")
        _replace(self.markdown_path, self.table())


def load_records(path: Path, environment: dict[str, Any]) -> list[dict[str, Any]]:
    """The records with figures of a result file.

    Raises:
        ValueError: the file was measured elsewhere or with other code.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    changed = [key for key in SAME if content["environment"][key] != environment[key]]
    if changed:
        raise ValueError(
            f"{path} cannot be resumed: expected the same {', '.join(SAME)}, "
            f"found a different {', '.join(changed)}"
        )
    return [record for record in content["records"] if "figures" in record]


def without_done(groups: Sequence[Group], records: Sequence[dict[str, Any]]) -> list[Group]:
    """The groups less our cases that are among the records, and less groups with none left."""
    done = [record["case"] for record in records]

    def missing(case: Case) -> bool:
        return dataclasses.asdict(case) not in done

    left = [
        dataclasses.replace(group, ours=[case for case in group.ours if missing(case)])
        for group in groups
    ]
    return [group for group in left if group.ours]


def write_report(folder: Path, kind: str, content: dict[str, Any], table: str) -> None:
    """Print a table, and write it beside its figures to two new files.

    Args:
        folder: where the files go; made if missing.
        kind: in their names, such as `"data-"`.
        content: the figures, with what `environment.describe` gave under `"environment"`.
        table: Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    json_path, markdown_path = reserve(folder, stem(content["environment"], kind))
    json_path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    markdown_path.write_text(table + "\n", encoding="utf-8")
    print(table)
    print(f"Written: {json_path} and {markdown_path.name}", file=sys.stderr)


def stem(environment: dict[str, Any], kind: str = "") -> str:
    """The name of a result file of today."""
    device = environment["gpu"] or f"{environment['cpu']} {environment['cores']} cores"
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    return f"{datetime.date.today().isoformat()}-{kind}{slug}"


def reserve(folder: Path, stem: str) -> tuple[Path, Path]:
    """Two new, empty files of the same stem, numbered if the name is taken."""
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}-{number}"
        json_path, markdown_path = folder / f"{name}.json", folder / f"{name}.md"
        number += 1
        if markdown_path.exists():
            continue
        try:
            json_path.touch(exist_ok=False)
        except FileExistsError:
            continue
        markdown_path.touch(exist_ok=False)
        return json_path, markdown_path


def _replace(path: Path, text: str) -> None:
    """Write one of our own files so that a reader never sees half of it."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
