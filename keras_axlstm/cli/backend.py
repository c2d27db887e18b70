"""Choosing the Keras backend before Keras is imported."""

import importlib.util
import json
import os
import sys
from pathlib import Path

# In order of preference when the user has not chosen.
BACKENDS = ("jax", "torch", "tensorflow")


def choose_backend() -> str:
    """Make sure that Keras will import with an installed backend, and say which.

    `KERAS_BACKEND` decides, then the user's `keras.json`, then Keras's default, TensorFlow. If
    that one is not installed and the user has not named it in `KERAS_BACKEND`, the first installed
    of JAX, PyTorch and TensorFlow is taken.

    Raises:
        ValueError: `KERAS_BACKEND` names a backend that is unknown or not installed.
        ImportError: no backend is installed.
    """
    if "keras" in sys.modules:
        backend = _active_backend()
    else:
        backend = os.environ["KERAS_BACKEND"] = find_backend()
    print(f"Keras backend: {backend}", file=sys.stderr)
    return backend


def _active_backend() -> str:
    import keras

    return keras.config.backend()


def find_backend() -> str:
    """The backend that Keras should be imported with; errors as of `choose_backend`."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen:
        if chosen not in BACKENDS:
            raise ValueError(
                f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. Received: {chosen}"
            )
        if chosen not in installed:
            raise ValueError(
                f"KERAS_BACKEND={chosen}, but {chosen} is not installed: "
                f"pip install 'keras-axlstm[{chosen}]'. Installed: {', '.join(installed) or 'none'}"
            )
        return chosen
    if not installed:
        raise ImportError(
            "Keras needs a backend, and none is installed: pip install 'keras-axlstm[jax]' "
            "(or torch, or tensorflow)."
        )
    default = _keras_default()
    return default if default in installed else installed[0]


def _keras_default() -> str:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        config = json.loads((home / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    return config.get("backend", "tensorflow") if isinstance(config, dict) else "tensorflow"
