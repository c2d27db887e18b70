"""The built-in presets: names, where they lie, and whether they have weights."""

from pathlib import Path

from keras_hub.src.utils.preset_utils import (
    MODEL_WEIGHTS_FILE,
    SHARDED_MODEL_WEIGHTS_CONFIG_FILE,
    register_presets,
)

PRESETS_FOLDER = Path(__file__).parents[1] / "presets"
REGISTERED: dict[str, dict] = {}


def register(presets: dict[str, str], backbone_cls: type) -> None:
    """Register presets, name to description, that lie in the package under their name."""
    entries = {
        # keras-hub asks for a "kaggle handle" and takes a local directory in its place.
        name: {
            "metadata": {"description": description},
            "kaggle_handle": str(PRESETS_FOLDER / name),
        }
        for name, description in presets.items()
    }
    REGISTERED.update(entries)
    register_presets(entries, backbone_cls)


def has_weights(name: str) -> bool:
    """Whether the built-in preset `name` comes with pretrained weights."""
    folder = PRESETS_FOLDER / name
    weights = (MODEL_WEIGHTS_FILE, SHARDED_MODEL_WEIGHTS_CONFIG_FILE)
    return any((folder / file).exists() for file in weights)


def check_preset(preset: str, load_weights: bool) -> None:
    """Refuse an unknown preset, and one without weights when weights are asked for."""
    if preset in REGISTERED:
        if load_weights and not has_weights(preset):
            raise ValueError(
                f"Preset {preset!r} has no pretrained weights yet. Either convert the authors' "
                "checkpoint (`keras-axlstm convert CHECKPOINT --output DIR`) or pretrain your own "
                "(`keras-axlstm pretrain AUDIO_DIR --output DIR`), then use from_preset(DIR); or "
                "pass load_weights=False for the architecture with random weights."
            )
    elif "://" not in preset and not Path(preset).is_dir():
        raise ValueError(
            f"Unknown preset: expected one of {sorted(REGISTERED)}, a preset directory or a hub "
            f"handle such as 'hf://user/model'. Received: {preset!r}"
        )
