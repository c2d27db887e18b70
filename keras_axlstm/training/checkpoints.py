import dataclasses
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
_NAME = re.compile(r"step-(\d{9})\.npz")
_FACTS = "facts"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Everything that a run goes on from.

    Args:
        step: steps done.
        data_state: position in the data, the same for all processes.
        facts: whatever else, for JSON.
        arrays: variables by name.
    """

    step: int
    data_state: str
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Checkpoints:
    """The checkpoints of a run: a folder of files `step-000001000.npz`.

    A file is written beside its place, forced to the disk and renamed, so that a crash at any
    moment leaves the earlier ones readable. Each array carries a checksum (the CRC-32 of the ZIP
    format), which is compared when it is read.

    Args:
        folder: path of the folder, made when the first is saved.
        keep: how many of the newest stay.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep

    def steps(self) -> list[int]:
        """The steps of which there are checkpoints, in ascending order."""
        if not self._folder.is_dir():
            return []
        matches = map(_NAME.fullmatch, os.listdir(self._folder))
        return sorted(int(match[1]) for match in matches if match)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write one, then remove those that are too old.

        Raises:
            OSError: it could not be written, for example because the disk is full. The earlier
                ones are still there.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(checkpoint.step)
        unfinished = path.with_suffix(".unfinished")
        facts = {
            "format": FORMAT,
            "step": checkpoint.step,
            "data_state": checkpoint.data_state,
            "facts": checkpoint.facts,
            "names": list(checkpoint.arrays),
        }
        try:
            with open(unfinished, "wb") as file:
                arrays = {_FACTS: np.array(json.dumps(facts)), **checkpoint.arrays}
                np.savez(file, allow_pickle=False, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            kept = self.steps()
            raise OSError(
                error.errno,
                f"The checkpoint of step {checkpoint.step} could not be written "
                f"({error.strerror or error}). "
                + (
                    f"That of step {kept[-1]} is kept: mend the cause, and go on with resume=True "
                    "(command line: --resume)."
                    if kept
                    else "There is no earlier one."
                ),
                str(path),
            ) from error
        sync_folder(self._folder)
        for step in self.steps()[: -self._keep]:
            self._path(step).unlink()

    def newest_readable(self) -> Checkpoint | None:
        """The newest one that can be read, or None if there are none.

        Warns of every newer one that cannot.

        Raises:
            ValueError: there are some, and none can be read.
        """
        steps = self.steps()
        reasons = []
        for step in reversed(steps):
            try:
                checkpoint = self._read(step)
            # A damaged file may raise anything, from BadZipFile to NotImplementedError.
            except Exception as error:
                reasons.append(f"{self._path(step)}: {type(error).__name__}: {error}")
                continue
            if reasons:
                warnings.warn(
                    f"The newest checkpoint CANNOT BE READ, going on from step {step}, the one "
                    "before. " + "; ".join(reasons),
                    UserWarning,
                    stacklevel=2,
                )
            return checkpoint
        if steps:
            raise ValueError(
                "None of the checkpoints can be read: the run cannot go on. Start anew with "
                "overwrite=True (command line: --overwrite). " + "; ".join(reasons)
            )
        return None

    def _read(self, step: int) -> Checkpoint:
        # Opened here: np.load leaves a damaged file open.
        with open(self._path(step), "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop(_FACTS)))
        if facts["format"] != FORMAT or facts["step"] != step:
            raise ValueError(
                f"expected format {FORMAT} and step {step}, received format {facts['format']} "
                f"and step {facts['step']}"
            )
        # The checksums are of single arrays: damage to the table of contents can hide one.
        if facts["names"] != list(arrays):
            missing = sorted(set(facts["names"]) - set(arrays))
            raise ValueError(f"arrays are missing: {', '.join(missing[:5])}")
        return Checkpoint(step, facts["data_state"], facts["facts"], arrays)

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:09d}.npz"


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
