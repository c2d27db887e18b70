"""Where things are kept between runs."""

import os
from pathlib import Path


def home_folder() -> Path:
    """The folder of this package in Keras' home (variable KERAS_HOME). It need not exist."""
    home = os.environ.get("KERAS_HOME", os.path.expanduser("~/.keras"))
    return Path(home) / "keras_axlstm"
