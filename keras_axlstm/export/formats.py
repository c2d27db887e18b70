"""The formats of exported files, and which backend writes which."""

import importlib.util
import os
from collections.abc import Mapping
from typing import NamedTuple

KINDS = ("scene", "timestamps", "scores")


class Format(NamedTuple):
    """A format of exported files."""

    ending: str  # of its files, "" for a folder
    packages: Mapping[str, tuple[str, ...]]  # what it takes to write it, by backend
    why_only_these: str  # why the other backends do not


FORMATS = {
    "saved_model": Format(
        "",
        {"tensorflow": (), "jax": ("tensorflow",)},
        "a SavedModel holds TensorFlow's operations",
    ),
    "onnx": Format(
        ".onnx",
        {"tensorflow": ("onnx", "tf2onnx")},
        "the files of PyTorch's converter do not run for clips of any length, and JAX's brings "
        "another neural network library",
    ),
    "litert": Format(
        ".tflite",
        {"tensorflow": ()},
        "LiteRT's converter reads TensorFlow's graphs, and its package for PyTorch needs other "
        "versions of common packages",
    ),
    "openvino": Format(
        ".xml",
        {"tensorflow": ("openvino",)},
        "of the operations that the others write OpenVINO does not read all",
    ),
    "torch": Format(".pt2", {"torch": ()}, "`torch.export` traces PyTorch's operations"),
}


def check_format(
    format: str, path: str | os.PathLike, backend: str, open_length: bool, int8: bool
) -> None:
    """Refuse what cannot be written, with the reason and what can.

    Args:
        format: one of `FORMATS`.
        path: the file to write.
        backend: the active backend of Keras.
        open_length: clips of any length are read whole, not in windows.
        int8: weights are to be stored in 8 bits.

    Raises:
        ValueError: an unknown format, a path with another ending, a backend that does not write
            the format, or 8 bits in a format without.
        ImportError: a package is missing.
    """
    if format not in FORMATS:
        raise ValueError(f"`format` must be one of {', '.join(FORMATS)}. Received: {format!r}")
    chosen = FORMATS[format]
    ending = os.path.splitext(os.fspath(path))[1]
    if (chosen.ending and ending != chosen.ending) or ending in _other_endings(format):
        expected = f"end with {chosen.ending}" if chosen.ending else "be a folder"
        raise ValueError(f"The output of format={format!r} must {expected}. Received: {path}")
    if int8 and format != "litert":
        raise ValueError(
            "Exported files with weights in 8 bits are written in the format litert only. "
            f"Received: int8 with format={format!r}"
        )
    able = " or ".join(f"KERAS_BACKEND={name}" for name in chosen.packages)
    if backend not in chosen.packages:
        raise ValueError(
            f"format={format!r} cannot be written with the {backend} backend: "
            f"{chosen.why_only_these}. Export with {able}: a preset is the same on every backend."
        )
    if backend == "jax" and open_length:
        raise ValueError(
            f"With the jax backend format={format!r} holds whole clips of one length only: JAX "
            "cannot leave the number of blocks of the recurrence open. Give `seconds` (command "
            "line: --seconds), or export with KERAS_BACKEND=tensorflow."
        )
    missing = [name for name in chosen.packages[backend] if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"format={format!r} needs {', '.join(missing)} with the {backend} backend: "
            "pip install 'keras-axlstm[export]'."
        )


def _other_endings(format: str) -> set[str]:
    return {other.ending for name, other in FORMATS.items() if name != format} - {""}
