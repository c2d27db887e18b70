"""The machine that the kernels run on."""

import platform
from pathlib import Path

import keras

from keras_axlstm.home import home_folder


def kernels_folder() -> Path:
    """Where compiled kernels and failed checks are kept. It need not exist."""
    return home_folder() / "kernels"


def processor() -> str:
    """The name of the processor."""
    names = _cpuinfo("model name")
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    return name or platform.machine()


def processor_features() -> str:
    """What `-march=native` depends on: home folders travel between the machines of a cluster."""
    lines = _cpuinfo("flags", "Features")
    return lines[0] if lines else platform.processor()


def devices() -> list[str]:
    """Names of the devices that the active backend computes on, its default one first."""
    match keras.backend.backend():
        case "jax":
            import jax

            names = [device.device_kind for device in jax.devices()]
        case "tensorflow":
            import tensorflow as tf

            names = [
                tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
                for gpu in tf.config.list_physical_devices("GPU")
            ]
        case "torch":
            import torch

            kind = keras.ops.zeros(()).device.type
            cuda = range(torch.cuda.device_count()) if kind == "cuda" else ()
            names = [torch.cuda.get_device_name(i) for i in cuda] or [kind]
        case _:
            names = []
    return [processor() if name == "cpu" else name for name in names or ["cpu"]]


def _cpuinfo(*starts: str) -> list[str]:
    """The lines of Linux's description of the processors that begin with one of `starts`."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return [line for line in lines if line.startswith(starts)]
