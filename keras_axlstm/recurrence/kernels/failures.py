"""Kernels that failed their self-check on this machine, kept in a file and not used.

An entry holds for one backend, kernel and fingerprint: an update of the package or the framework,
another device, or another source of the kernels makes it void.
"""

import contextlib
import functools
import hashlib
import importlib
import json
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date
from pathlib import Path

import keras

from keras_axlstm.files import write_aside
from keras_axlstm.recurrence.kernels import machine

_ignored = ContextVar("ignored", default=False)


def path() -> Path:
    """The file with the failures."""
    return machine.kernels_folder() / "failed.json"


def failed_self_check(kernel: str) -> list[str]:
    """Why `kernel` is not to be used, if it failed its last check here; empty otherwise.

    Called whenever a kernel could be used: a look into a dictionary, the file is read once.
    """
    entries = _entries()
    if not entries or _ignored.get():
        return []
    entry = entries.get(_key(kernel))
    if entry is None:
        return []
    return [
        f"{kernel}: failed its self-check on {entry['date']}: {entry['problem']}; "
        "run `keras-axlstm doctor` again after an update"
    ]


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Use kernels in spite of earlier failures, so that a check can find them repaired."""
    token = _ignored.set(True)
    try:
        yield
    finally:
        _ignored.reset(token)


def record(kernel: str, problem: str | None) -> None:
    """Keep the result of a check of `kernel`, `None` for a kernel that passed.

    Holds for this process in any case.

    Raises:
        OSError: the file cannot be written.
    """
    key = _key(kernel)
    # Read again: another process may have written to it, for another backend.
    entries = _entries() | _read(path())
    entries.pop(key, None)
    if problem is not None:
        entries[key] = {"date": date.today().isoformat(), "problem": problem}
    changed = entries != _entries()
    _entries().clear()
    _entries().update(entries)
    if changed:
        with write_aside(path(), overwrite=True) as unfinished:
            unfinished.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


@functools.cache
def _entries() -> dict[str, dict[str, str]]:
    """Failures by key, as this process knows them."""
    return _read(path())


def _read(file: Path) -> dict[str, dict[str, str]]:
    """What the file says; nothing if there is none or it is not one of ours."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {key: entry for key, entry in entries.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and {"date", "problem"} <= entry.keys()


def _key(kernel: str) -> str:
    return f"{keras.backend.backend()}/{kernel}/{_fingerprint()}"


@functools.cache
def _fingerprint() -> str:
    """Changes with whatever may repair a kernel, or break it."""
    package, framework = (
        importlib.import_module(name).__version__
        for name in ("keras_axlstm", keras.backend.backend())
    )
    parts = (package, framework, machine.devices()[0], machine.processor_features())
    digest = hashlib.sha256("\n".join(parts).encode())
    sources = Path(__file__).parent.rglob("*")
    for source in sorted(file for file in sources if file.suffix in (".py", ".h", ".cc")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
