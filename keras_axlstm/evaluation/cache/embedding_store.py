import hashlib
import os
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Raised when what is stored changes: files of another version are not read.
FORMAT = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS embeddings (
    audio TEXT NOT NULL,
    kind TEXT NOT NULL,
    rows INTEGER NOT NULL,
    frames BLOB NOT NULL,
    times_ms BLOB NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY (audio, kind)
)
"""
SECONDS_FOR_OTHERS = 60.0


class EmbeddingStore:
    """The embeddings of one model, in one SQLite file.

    Thousands of small entries make one file. What `put` has written outlives a kill of the
    process, each entry carries a checksum, and several processes may use a file at a time.

    Args:
        folder: where the file lies; made if missing.
        identity: of the model; the file is named after it.
        dims: length of an embedding by its kind, `"scene"` and `"timestamps"`.

    Raises:
        OSError: the folder cannot be made or written, found before anything is computed.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.cache import EmbeddingStore

    store = EmbeddingStore("embeddings", "0123abcd", {"scene": 960, "timestamps": 960})
    store.put("scene", {"hash of the audio": (np.zeros((1, 960)), np.zeros(0))})
    store.get("scene", "hash of the audio")[0].shape  # (1, 960)
    store.close()
    ```
    """

    def __init__(self, folder: str | os.PathLike[str], identity: str, dims: dict[str, int]) -> None:
        self.path = Path(folder) / f"{identity[:32]}-{FORMAT}.sqlite"
        self._dims = dims
        self._database: sqlite3.Connection | None = None
        self._run(lambda database: None)

    def get(self, kind: str, audio: str) -> tuple[np.ndarray, np.ndarray] | None:
        """An entry's float32 `(rows, d)` and float64 times; None if missing or damaged.

        Args:
            kind: `"scene"`, which has one row and no times, or `"timestamps"`.
            audio: hash of the file's content.
        """
        row = self._run(
            lambda database: database.execute(
                "SELECT rows, frames, times_ms, checksum FROM embeddings "
                "WHERE audio = ? AND kind = ?",
                (audio, kind),
            ).fetchone()
        )
        if row is None:
            return None
        rows, frames, times_ms, checksum = row
        if not (isinstance(frames, bytes) and isinstance(times_ms, bytes)):
            return None
        times = 0 if kind == "scene" else rows
        sizes = (4 * rows * self._dims[kind], 8 * times)
        if _checksum(frames, times_ms) != checksum or (len(frames), len(times_ms)) != sizes:
            return None
        return (
            np.frombuffer(frames, "<f4").astype("float32").reshape(rows, self._dims[kind]),
            np.frombuffer(times_ms, "<f8").astype("float64"),
        )

    def put(self, kind: str, entries: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Write entries, all or none: float `(rows, d)` and times by the audio's hash."""
        rows = []
        for audio, (frames, times_ms) in entries.items():
            blobs = (frames.astype("<f4").tobytes(), times_ms.astype("<f8").tobytes())
            rows.append((audio, kind, len(frames), *blobs, _checksum(*blobs)))
        self._run(
            lambda database: database.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?, ?)", rows
            )
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _run(self, operation: Callable[[sqlite3.Connection], Any]) -> Any:
        """The result of `operation` in a transaction, on an empty file if this one is damaged."""
        try:
            try:
                return self._in_transaction(operation)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
                return self._in_transaction(operation)
        except (sqlite3.OperationalError, OSError) as error:
            raise OSError(
                f"The folder for cached embeddings {self.path.parent} must be one that can be "
                f"written and has space. Received: {error} ({self.path.name})"
            ) from error

    def _in_transaction(self, operation: Callable[[sqlite3.Connection], Any]) -> Any:
        if self._database is None:
            self._database = self._open()
        with self._database:
            return operation(self._database)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=SECONDS_FOR_OTHERS)
        try:
            database.execute(SCHEMA)
            # Written at any rate: a file that cannot be written shows here.
            database.execute(f"PRAGMA user_version = {FORMAT}")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        damaged = self.path.with_suffix(".damaged")
        self.close()
        os.replace(self.path, damaged)
        warnings.warn(
            f"The cached embeddings {self.path} are damaged ({error}). They are computed again; "
            f"the damaged file is now {damaged}.",
            UserWarning,
            stacklevel=5,
        )


def _checksum(frames: bytes, times_ms: bytes) -> bytes:
    return hashlib.blake2b(times_ms + frames, digest_size=16).digest()
