"""Compiles the kernels once per machine, source and framework version."""

import ctypes
import functools
import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from keras_axlstm.recurrence.kernels import machine

SOURCE = Path(__file__).parent / "src"
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-pthread", "-w")
NATIVE_FLAGS = (
    ("-mcpu=native",) if platform.machine() in ("arm64", "aarch64") else ("-march=native",)
)
COMPILERS = ("c++", "g++", "clang++")
BINDINGS = {"jax": "bind_xla.cc", "tensorflow": "bind_xla.cc", "torch": None}


class KernelBuildError(RuntimeError):
    """The kernels cannot be compiled here; the message says why."""


def compiler() -> str:
    """The C++ compiler: the one that CXX names, or the first that is installed."""
    if sys.platform not in ("linux", "darwin"):
        raise KernelBuildError(f"CPU kernels are built on Linux and macOS, not on {sys.platform}")
    for name in filter(None, (os.environ.get("CXX"), *COMPILERS)):
        path = shutil.which(name)
        if path:
            return path
    raise KernelBuildError(
        f"no C++ compiler found (looked for CXX and {', '.join(COMPILERS)}); install one, for "
        "example with `apt-get install g++`"
    )


@functools.cache
def _problem(backend: str) -> str | None:
    try:
        library(backend)
    except KernelBuildError as error:
        return str(error)
    return None


def unavailable(backend: str) -> list[str]:
    """Why there are no kernels for a backend here; empty if there are. Compiles them if need be."""
    problem = _problem(backend)
    return [] if problem is None else [problem]


def without_tiles(kernel: str, backend: str) -> list[str]:
    """Why there is no `kernel`, which needs more than a compiler; empty if there is."""
    problems = unavailable(backend)
    if not problems and not _has_tiles(backend):
        problems = [f"{kernel}: the processor has no tile unit for bfloat16 (AMX)"]
    return problems


@functools.cache
def _has_tiles(backend: str) -> bool:
    return bool(ctypes.CDLL(str(library(backend))).axlstm_has_tiles())


def problems(kernel: str, backend: str) -> list[str]:
    """Why `kernel` cannot run on this machine; empty if it can."""
    if kernel in ("projection", "block"):
        return without_tiles(kernel, backend)
    return unavailable(backend)


@functools.cache
def library(backend: str) -> Path:
    """Path of the shared library for a backend, compiled if it does not exist yet.

    Raises:
        KernelBuildError: no compiler, or it failed.
    """
    command = [compiler(), *FLAGS, *NATIVE_FLAGS, *_framework_flags(backend)]
    binding = BINDINGS[backend]
    sources = [SOURCE / "library.cc"] + ([SOURCE / binding] if binding else [])
    target = _cache() / f"{backend}-{_fingerprint(command)}.so"
    if target.exists():
        return target
    # Compiled beside its place and moved there, so that processes that start together each find
    # a whole library or none.
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        built = Path(folder) / target.name
        arguments = [*command[:1], *map(str, sources), *command[1:], "-o", str(built)]
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if result.returncode:
            problem = (
                f"`{' '.join(arguments)}` failed with status {result.returncode}:\n"
                f"{result.stderr[-2000:]}"
            )
            # Nobody should lose the kernels without a word where there is a compiler.
            warnings.warn(f"CPU kernels are not used, {problem}", stacklevel=2)
            raise KernelBuildError(problem)
        os.replace(built, target)
    return target


def _cache() -> Path:
    """The folder of the compiled kernels, made if need be."""
    folder = machine.kernels_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KernelBuildError(
            f"compiled kernels are kept in {folder}, which cannot be made ({error}); "
            "set KERAS_HOME to a folder that can"
        ) from error
    return folder


def _framework_flags(backend: str) -> list[str]:
    if backend == "jax":
        import jax

        return [f"-I{jax.ffi.include_dir()}"]
    if backend == "tensorflow":
        import tensorflow as tf

        return [f"-I{tf.sysconfig.get_include()}"]
    return []


def _fingerprint(command: list[str]) -> str:
    """Changes with the source, the command, the framework and the processor."""
    parts = [*command, platform.machine(), machine.processor_features()]
    for package in ("jaxlib", "tensorflow"):
        try:
            parts.append(importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            continue
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(SOURCE.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
