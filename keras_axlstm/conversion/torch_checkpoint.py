"""Reads the zip files that `torch.save` writes, without PyTorch."""

import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.conversion.errors import CheckpointError
from keras_axlstm.conversion.safe_unpickler import SafeUnpickler

# NumPy has no bfloat16: its 16 bits are the upper half of a float32.
_BFLOAT16 = "torch.BFloat16Storage"
_STORAGE_DTYPES = {
    "torch.DoubleStorage": "f8",
    "torch.FloatStorage": "f4",
    "torch.HalfStorage": "f2",
    _BFLOAT16: "u2",
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "?",
    "torch.ComplexDoubleStorage": "c16",
    "torch.ComplexFloatStorage": "c8",
}

# What the authors' training script leaves in a checkpoint beside tensors.
_RECORDS = (
    "argparse.Namespace",
    "ml_collections.config_dict.config_dict.ConfigDict",
    "ml_collections.config_dict.config_dict.FrozenConfigDict",
)

# What zipfile raises on damaged files, fuzzed.
_SYMPTOMS_OF_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
)

_DOWNLOAD_AGAIN = "The file is damaged or incomplete: download or copy it again."


def read_torch_checkpoint(path: str | os.PathLike[str]) -> Any:
    """Reads a file written by `torch.save`, without PyTorch and without running pickled code.

    Tensors become read-only NumPy arrays of the same shape and dtype (bfloat16 becomes float32).
    Plain Python values stay what they are; `argparse.Namespace` and `ml_collections.ConfigDict`
    objects become dicts of their attributes.

    Args:
        path: a checkpoint in the zip format, which `torch.save` writes since PyTorch 1.6.

    Returns:
        The object saved, for example a dict with the key `"model"`.

    Raises:
        CheckpointError: the file is missing, damaged, in another format, or its pickle holds
            anything but tensors and plain values (the message names it).

    Example:

    ```python
    from keras_axlstm.conversion import read_torch_checkpoint

    checkpoint = read_torch_checkpoint("checkpoint-99.pth")
    print(checkpoint["epoch"], checkpoint["model"]["cls_token"].shape)
    ```
    """
    path = Path(path)
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise CheckpointError(f"Expected a checkpoint file written by torch.save; {path} {found}.")
    try:
        if not zipfile.is_zipfile(path):
            raise CheckpointError(_describe_other_format(path))
        with zipfile.ZipFile(path) as archive:
            return _TorchArchive(archive).load()
    except CheckpointError as error:
        raise CheckpointError(f"Cannot read {path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"Cannot read {path}: {error}.") from error
    except _SYMPTOMS_OF_DAMAGE as error:
        raise CheckpointError(f"Cannot read {path}: {error}. {_DOWNLOAD_AGAIN}") from error


class _TorchArchive:
    """One open checkpoint: `NAME/data.pkl` and its storages `NAME/data/KEY`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        pickles = [n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise CheckpointError(
                "it is a zip file, but not one written by torch.save: expected one entry "
                f"'NAME/data.pkl', found {len(pickles)}."
            )
        self._folder = pickles[0].removesuffix("data.pkl")
        self._byte_order = "<"
        if self._folder + "byteorder" in archive.namelist():
            stored = archive.read(self._folder + "byteorder")
            self._byte_order = ">" if stored == b"big" else "<"
        self._storages: dict[tuple[str, str], np.ndarray] = {}

    def load(self) -> Any:
        unpickler = SafeUnpickler(
            functions={
                "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
                "torch._utils._rebuild_parameter": _rebuild_parameter,
            },
            records=_RECORDS,
            names=_STORAGE_DTYPES,
            load_persistent=self._load_storage,
        )
        return unpickler.load(self._archive.read(self._folder + "data.pkl"))

    def _load_storage(self, persistent_id: object) -> np.ndarray:
        """The 1-D array behind `("storage", type, key, device, number of elements)`."""
        match persistent_id:
            case ("storage", str(kind), str(key), str(), int(count)) if kind in _STORAGE_DTYPES:
                pass
            case _:
                raise CheckpointError(
                    f"refused: it holds the persistent id {persistent_id!r}, which is not a torch "
                    "storage."
                )
        if (kind, key) not in self._storages:
            self._storages[kind, key] = self._read_storage(kind, key, count)
        return self._storages[kind, key]

    def _read_storage(self, kind: str, key: str, count: int) -> np.ndarray:
        dtype = np.dtype(self._byte_order + _STORAGE_DTYPES[kind])
        try:
            entry = self._archive.getinfo(f"{self._folder}data/{key}")
        except KeyError:
            raise CheckpointError(
                f"the storage 'data/{key}' is missing. {_DOWNLOAD_AGAIN}"
            ) from None
        if entry.file_size != count * dtype.itemsize:
            raise CheckpointError(
                f"the storage 'data/{key}' has the wrong size: expected {count} x "
                f"{dtype.itemsize} bytes, found {entry.file_size}. {_DOWNLOAD_AGAIN}"
            )
        storage = np.frombuffer(self._archive.read(entry), dtype)
        if kind == _BFLOAT16:
            return (storage.astype("uint32") << 16).view("float32")
        return storage.astype(dtype.newbyteorder("="), copy=False)


def _rebuild_tensor(
    storage: np.ndarray,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    *_ignored: object,
) -> np.ndarray:
    """The view of `storage` that a tensor is; offset and strides count elements."""
    if min((offset, *shape, *strides)) < 0:
        raise CheckpointError(f"a tensor has a negative offset, shape {shape} or stride {strides}.")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if math.prod(shape) > 0 and last >= storage.size:
        raise CheckpointError(
            f"a tensor of shape {shape} and strides {strides} reaches element {last} of a storage "
            f"of {storage.size}. {_DOWNLOAD_AGAIN}"
        )
    return np.lib.stride_tricks.as_strided(
        storage[offset:], shape, [step * storage.itemsize for step in strides], writeable=False
    )


def _rebuild_parameter(tensor: np.ndarray, *_ignored: object) -> np.ndarray:
    return tensor


def _describe_other_format(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return f"it is empty. {_DOWNLOAD_AGAIN}"
    if start.startswith(b"PK"):
        return f"it begins like a torch checkpoint, but its end is missing. {_DOWNLOAD_AGAIN}"
    # A pickle of protocol 2 that begins with a long integer, or a tar archive.
    if start.startswith(b"\x80\x02\x8a\x0a") or start[257:262] == b"ustar":
        return (
            "it has the format of PyTorch before 1.6. Where PyTorch is installed, save it anew: "
            "torch.save(torch.load(path, map_location='cpu'), 'new.pth')."
        )
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return (
            "it is a web page, not a checkpoint. Download links of Google Drive and GitHub often "
            "save one: open it in a browser and download the file itself."
        )
    return (
        f"expected a zip file written by torch.save, found one that begins with {start[:16]!r}. "
        "Read weights in another format into NumPy arrays and call from_official_state_dict."
    )
