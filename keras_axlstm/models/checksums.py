"""Checksums of a preset's weight files, kept beside them."""

import hashlib
import json
from pathlib import Path

CHECKSUMS_FILE = "checksums.json"


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every weight file in a preset folder to `checksums.json`."""
    files = sorted([*folder.glob("*.weights.*"), *folder.glob("*.npz")])
    content = {file.name: _sha256(file) for file in files}
    (folder / CHECKSUMS_FILE).write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")


def verify_checksums(folder: Path) -> None:
    """Refuse weights that are not those that the checksums were taken of.

    A folder without `checksums.json` passes.

    Raises:
        ValueError: a file is missing, truncated or altered.
    """
    path = folder / CHECKSUMS_FILE
    if not path.exists():
        return
    for name, expected in json.loads(path.read_text(encoding="utf-8")).items():
        file = folder / name
        if not file.exists():
            raise ValueError(f"The preset in {folder} is incomplete: expected {name}. Found: none.")
        received = _sha256(file)
        if received != expected:
            raise ValueError(
                f"{file} is damaged or was altered: expected SHA-256 {expected}, received "
                f"{received} ({file.stat().st_size:,} bytes). Install the package or copy the "
                f"preset again; if you changed the weights yourself, remove {path}."
            )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
