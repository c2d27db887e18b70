"""Output files and folders that are either complete or absent."""

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_aside(
    path: str | os.PathLike[str], overwrite: bool = False, names: Collection[str] | None = None
) -> Iterator[Path]:
    """Write a file or folder beside its place, and rename it when it is complete.

    Yields a path that does not exist yet, in the same folder and with the same ending as `path`.
    Make a file or a folder there. When the block ends without an exception it is renamed to `path`;
    when it ends with one, what was written is removed and an existing `path` stays as it was.
    Missing parent folders are made.

    Args:
        path: the file or folder to make. A symbolic link is followed.
        overwrite: replace an existing `path`. A folder is replaced only by one that has all of its
            entries, so that no file of another kind goes with it.
        names: of all entries that such a folder may have. An existing folder that is to be
            replaced is then judged by them, and before anything is written.

    Raises:
        FileExistsError: `path` exists, checked before anything is written. If it appears
            meanwhile, or is a folder with other entries, the finished output is kept and named.
        FileNotFoundError: the block ended without writing anything.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.files import write_aside

    with write_aside("embeddings.npz", overwrite=True) as unfinished:
        np.savez(unfinished, scene=np.zeros(960))
    ```
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another name, or replace it with overwrite=True "
            "(command line: --overwrite)."
        )
    if names is not None and (others := _others(target, names)):
        raise FileExistsError(
            f"The folder {target} is not replaced, because it holds other files: {others}. Choose "
            "another name, or empty it first."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".unfinished-{secrets.token_hex(4)}-{target.name}")
    try:
        yield unfinished
        if not unfinished.exists():
            raise FileNotFoundError(f"Nothing was written to {unfinished}, meant for {path}.")
    except BaseException:
        _remove(unfinished)
        raise
    _refuse_to_lose(target, unfinished, overwrite, names)
    replace_output(target, unfinished)


def _refuse_to_lose(
    target: Path, finished: Path, overwrite: bool, names: Collection[str] | None
) -> None:
    """Raise if renaming would remove anything but an earlier output of the same kind."""
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"{target} was made by someone else meanwhile. The finished output is kept as "
            f"{finished}: rename it."
        )
    if names is None:
        names = os.listdir(finished) if finished.is_dir() else ()
    if others := _others(target, names):
        raise FileExistsError(
            f"The folder {target} was not replaced, because it holds other files: {others}. The "
            f"finished output is kept as {finished}: rename it, or empty the folder first."
        )


def _others(target: Path, names: Collection[str]) -> str:
    """The first entries of a folder that have none of the names; empty if there is none."""
    others = sorted(set(os.listdir(target)) - set(names)) if target.is_dir() else []
    return ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")


def replace_output(target: Path, finished: Path) -> None:
    """Rename a finished file or folder to `target`, in the place of what is there."""
    if not (target.is_dir() or (target.exists() and finished.is_dir())):
        os.replace(finished, target)
        return
    # A folder cannot be replaced in one step: the old one steps aside, and back if need be.
    old = target.with_name(f".replaced-{secrets.token_hex(4)}-{target.name}")
    os.rename(target, old)
    try:
        os.rename(finished, target)
    except BaseException:
        os.rename(old, target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
