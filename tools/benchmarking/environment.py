"""What the figures depend on beside the code: machine, versions, commit."""

import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "keras",
    "keras-hub",
    "numpy",
    "grain",
    "array_record",
    "soundfile",
    "soxr",
    "jax",
    "jaxlib",
    "jax-cuda12-plugin",
    "jax-cuda13-plugin",
    "tensorflow",
    "torch",
    "triton",
    "jax-triton",
    "timm",
    "mlstm-kernels",
)
# Variables that change how fast the backends are.
TUNING_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_PLATFORMS",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)


def describe(arguments: list[str], tool: str = "benchmark.py") -> dict[str, Any]:
    """Machine, versions, commit and command line."""
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "gpu": gpu_model(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", "keras_axlstm", "tools/*.py")),
        "variables": {name: os.environ[name] for name in TUNING_VARIABLES if name in os.environ},
        "command": command_line(arguments, tool),
    }


def cpu_model() -> str:
    """The name that the system gives to the processor."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cpuinfo = ""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, flags=re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpu_model() -> str | None:
    """The first NVIDIA GPU, or None."""
    names = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    return names.splitlines()[0].strip() if names else None


def versions() -> dict[str, str]:
    """Of Python and the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git(*arguments: str, folder: Path = ROOT) -> str | None:
    """What git says about a checkout; None where there is none."""
    return _output("git", "-C", str(folder), *arguments)


def command_line(arguments: list[str], tool: str = "benchmark.py") -> str:
    """The command that was run, with the last parts of absolute paths."""
    short = [Path(text).name if os.path.isabs(text) else text for text in arguments]
    return shlex.join(["python", f"tools/{tool}", *short])


def _output(*command: str) -> str | None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
