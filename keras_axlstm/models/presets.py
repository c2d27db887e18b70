"""Presets by name: where they lie, and whether they have weights."""

from pathlib import Path

from keras_hub.src.utils.preset_utils import (
    MODEL_WEIGHTS_FILE,
    SHARDED_MODEL_WEIGHTS_CONFIG_FILE,
    register_presets,
)

PRESETS_FOLDER = Path(__file__).parents[1] / "presets"
REGISTERED: dict[str, dict] = {}


def register(presets: dict[str, str], backbone_cls: type, folder: Path = PRESETS_FOLDER) -> None:
    """Register presets, name to description, that lie under their name in a folder."""
    entries = {
        # keras-hub asks for a "kaggle handle" and takes a local directory in its place.
        name: {
            "metadata": {"description": description},
            "kaggle_handle": str(folder / name),
        }
        for name, description in presets.items()
    }
    REGISTERED.update(entries)
    register_presets(entries, backbone_cls)


def folder_of(preset: str) -> Path:
    """The folder of a registered preset, or the one that `preset` names itself."""
    return Path(REGISTERED[preset]["kaggle_handle"] if preset in REGISTERED else preset)


def has_weights(name: str) -> bool:
    """Whether the registered preset `name` comes with pretrained weights."""
    folder = folder_of(name)
    weights = (MODEL_WEIGHTS_FILE, SHARDED_MODEL_WEIGHTS_CONFIG_FILE)
    return any((folder / file).exists() for file in weights)


def check_preset(preset: str, load_weights: bool) -> None:
    """Refuse an unknown preset, and one without weights when weights are asked for."""
    from keras_axlstm.models.installed_presets import register_installed_presets

    if preset not in REGISTERED:
        register_installed_presets()  # it may have been installed meanwhile
    if preset in REGISTERED:
        if load_weights and not has_weights(preset):
            raise ValueError(
                f"Preset {preset!r} has no pretrained weights yet. Either convert the authors' "
                "checkpoint (`keras-axlstm convert CHECKPOINT --install NAME`, then "
                "from_preset(NAME)) or pretrain your own (`keras-axlstm pretrain AUDIO_DIR "
                "--output DIR`, then from_preset(DIR)); or "
                "pass load_weights=False for the architecture with random weights."
            )
    elif "://" not in preset and not Path(preset).is_dir():
        raise ValueError(
            f"Unknown preset: expected one of {sorted(REGISTERED)}, a preset directory or a hub "
            f"handle such as 'hf://user/model'. Received: {preset!r}"
        )
