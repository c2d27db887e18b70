"""Presets under names of the user's own, in Keras' home folder, beside the built-in ones."""

import json
import re
from pathlib import Path

import keras

from keras_axlstm.home import home_folder
from keras_axlstm.models import presets

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def installed_presets_folder() -> Path:
    """Where they lie, a folder each. It need not exist."""
    return home_folder() / "presets"


def check_installable(name: str) -> Path:
    """The folder for a preset of that name.

    Raises:
        ValueError: a name that is no folder name, or that of a built-in preset.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            "A preset's name consists of small letters, digits, `_`, `.` and `-`, such as "
            f"axlstm_tiny_audioset. Received: {name!r}"
        )
    if (presets.PRESETS_FOLDER / name).is_dir():
        raise ValueError(
            f"{name!r} is the name of a built-in preset. Choose another, such as {name}_audioset."
        )
    return installed_presets_folder() / name


def register_installed_presets() -> list[str]:
    """Make the installed presets known to every `from_preset`; their names.

    A folder that holds no encoder of this package is left out.
    """
    folder, names = installed_presets_folder(), []
    for config in sorted(folder.glob("*/config.json")):
        name = config.parent.name
        encoder = _encoder_class(config)
        if encoder is None or not NAME.fullmatch(name) or (presets.PRESETS_FOLDER / name).is_dir():
            continue
        description = f"{encoder.__name__}, installed in {config.parent}."
        presets.register({name: description}, encoder, folder)
        names.append(name)
    return names


def _encoder_class(config: Path) -> type | None:
    try:
        registered_name = json.loads(config.read_text(encoding="utf-8"))["registered_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = keras.saving.get_registered_object(registered_name)
    return found if str(registered_name).startswith("keras_axlstm>") else None
