"""Embeddings in one parquet file."""

from pathlib import Path
from typing import Any

import numpy as np


class ParquetWriter:
    """Writes a parquet file as the embeddings come; frames go to disk at once.

    Scenes: a row a file, `path` string, `embedding` fixed-size list of d floats.

    Timestamps: a row a frame, `path` string, `time_ms` double, `embedding` as above. The frames of
    a file follow each other in order of time, in a row group of their own.
    """

    def __init__(self, path: Path):
        # Opened now, so that a folder that cannot be written to is found before any work.
        self._file = open(path, "wb")
        self._writer: Any = None
        self._scene_paths: list[str] = []
        self._scenes: list[np.ndarray] = []

    def add(self, path: str, embedding: np.ndarray, times_ms: np.ndarray | None) -> None:
        """Take one file's `(d,)`, or its `(t, d)` with `times_ms` `(t,)`."""
        if times_ms is None:
            self._scene_paths.append(path)
            self._scenes.append(embedding)
        else:
            self._write([path] * len(embedding), embedding, times_ms)

    def close(self) -> None:
        """Finish the file."""
        if self._scenes:
            self._write(self._scene_paths, np.stack(self._scenes), None)
        if self._writer is not None:
            self._writer.close()
        self._file.close()

    def _write(self, paths: list[str], embeddings: np.ndarray, times_ms: np.ndarray | None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"path": pa.array(paths, pa.string())}
        if times_ms is not None:
            columns["time_ms"] = pa.array(times_ms, pa.float64())
        values = pa.array(embeddings.reshape(-1), pa.float32())
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(values, embeddings.shape[1])
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema)
        self._writer.write_table(table)
