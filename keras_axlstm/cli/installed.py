"""What `keras-axlstm doctor` says about the installation."""

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Mapping

# Vector instructions that the kernels gain from, by their names in /proc/cpuinfo.
VECTOR_FEATURES = {
    "avx2": "avx2",
    "avx512f": "avx512",
    "avx512_bf16": "avx512_bf16",
    "amx_bf16": "amx_bf16",
    "asimd": "neon",
}
# Optional extras of the package, and the module that each brings.
EXTRAS = {
    "jax": "jax",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "triton": "triton",
    "jax-triton": "jax_triton",
    "export": "onnxruntime",
    "parquet": "pyarrow",
    "plots": "matplotlib",
    "demo": "gradio",
    "tensorboard": "tensorboardX",
    "transformers": "transformers",
    "array-record": "array_record",
    "beam": "apache_beam",
    "events": "sed_eval",
    "mteb": "mteb",
    "tensorflow-io": "tensorflow_io",
    "notebook": "nbclient",
}


def describe_installation() -> dict[str, str]:
    """Facts by name, in the order in which they are printed."""
    import keras

    import keras_axlstm
    from keras_axlstm.recurrence.kernels import machine

    backend = keras.config.backend()
    return {
        "keras-axlstm": keras_axlstm.__version__,
        "Python": f"{platform.python_version()} ({sys.implementation.name})",
        "system": f"{platform.platform(terse=True)}, {platform.machine()}",
        "processor": machine.processor(),
        "vector features": _vector_features(machine.processor_features()),
        "keras": keras.__version__,
        "keras-hub": _version("keras-hub"),
        "backend": f"{backend} {importlib.import_module(backend).__version__}",
        "devices": ", ".join(machine.devices()),
        "C++ compiler": _compiler(),
        "Triton": _version("triton"),
        **{f"extra {extra}": state for extra, state in _extras().items()},
    }


def format_installation(facts: Mapping[str, str]) -> str:
    """One fact a line."""
    width = max(map(len, facts))
    return "\n".join(f"{name.ljust(width)}  {fact}" for name, fact in facts.items())


def _vector_features(line: str) -> str:
    """Those of `VECTOR_FEATURES` that a line of /proc/cpuinfo names."""
    present = set(line.split())
    # Every 64-bit ARM processor has NEON; macOS, for one, has no such line.
    if platform.machine() in ("arm64", "aarch64"):
        present.add("asimd")
    known = [name for flag, name in VECTOR_FEATURES.items() if flag in present]
    return ", ".join(known) or "none known"


def _compiler() -> str:
    """Its path, or why there is none."""
    from keras_axlstm.recurrence.kernels.native import build

    try:
        return build.compiler()
    except build.KernelBuildError as error:
        return f"none: {error}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _extras() -> dict[str, str]:
    return {
        extra: "installed"
        if importlib.util.find_spec(module)
        else f"missing: pip install 'keras-axlstm[{extra}]'"
        for extra, module in EXTRAS.items()
    }
