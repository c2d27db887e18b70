"""Write the configuration files of the built-in presets, without weights.

python tools/make_preset_configs.py
"""

import json
from pathlib import Path

import keras

from keras_axlstm import AxLSTMAudioConverter, AxLSTMEncoder, SSASTAudioConverter, SSASTEncoder
from keras_axlstm.models.presets import PRESETS_FOLDER

# Decibels. With digital silence in a clip, embeddings depend less on its level and share.
DYNAMIC_RANGE = 50.0
SIZES = {"tiny": (192, 3), "small": (384, 6), "base": (768, 12)}


def write(folder: Path, file: str, layer: keras.Layer) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = keras.saving.serialize_keras_object(layer)
    for key in ("build_config", "compile_config"):
        config.pop(key, None)
    (folder / file).write_text(json.dumps(config, indent=4) + "\n", encoding="utf-8")


def main() -> None:
    for size, (hidden_dim, attention_heads) in SIZES.items():
        axlstm = AxLSTMEncoder(hidden_dim=hidden_dim, name="axlstm_encoder")
        ssast = SSASTEncoder(hidden_dim=hidden_dim, num_heads=attention_heads, name="ssast_encoder")
        for name, encoder, converter in (
            (f"axlstm_{size}", axlstm, AxLSTMAudioConverter),
            (f"ssast_{size}", ssast, SSASTAudioConverter),
        ):
            folder = PRESETS_FOLDER / name
            write(folder, "config.json", encoder)
            converter = converter(dynamic_range=DYNAMIC_RANGE, name="audio_converter")
            write(folder, "audio_converter.json", converter)


if __name__ == "__main__":
    main()
