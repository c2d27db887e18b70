"""Opening the writer for an output file."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from keras_axlstm.embedding.npz_writer import NpzWriter
from keras_axlstm.embedding.parquet_writer import ParquetWriter
from keras_axlstm.files import write_aside

WRITERS: dict[str, type[NpzWriter | ParquetWriter]] = {".npz": NpzWriter, ".parquet": ParquetWriter}


@contextlib.contextmanager
def open_output(output: str | os.PathLike, overwrite: bool) -> Iterator[NpzWriter | ParquetWriter]:
    """A writer for the suffix of `output`; the file appears when the context ends well.

    Raises:
        ValueError: the suffix is neither `.npz` nor `.parquet`.
        ImportError: `.parquet` without pyarrow.
        FileExistsError: the output exists and `overwrite` is not set.
    """
    suffix = Path(output).suffix.lower()
    if suffix not in WRITERS:
        raise ValueError(
            f"`output` must end in {' or '.join(WRITERS)}. Received: {os.fspath(output)!r}"
        )
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ImportError(
            f"Writing {os.fspath(output)!r} needs pyarrow: pip install 'keras-axlstm[parquet]'. "
            "Or choose an output that ends in .npz."
        )
    with write_aside(output, overwrite=overwrite) as aside:
        with contextlib.closing(WRITERS[suffix](Path(aside))) as writer:
            yield writer
