"""How far the embeddings of small models are from those of the model they were made of.

KERAS_BACKEND=tensorflow python tools/measure_drift.py [PRESET]

For the clips of examples/audio: the least and the mean cosine between the embeddings, and the size
of the weights. PRESET defaults to random:axlstm_tiny.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from keras_axlstm.audio import read_audio
from keras_axlstm.data import find_audio_files
from keras_axlstm.export import export_model
from keras_axlstm.models import AudioEmbedder, SpectrogramEncoder
from keras_axlstm.models.open_embedder import open_embedder

CLIPS = Path(__file__).parents[1] / "examples" / "audio"


def main(preset: str = "random:axlstm_tiny") -> None:
    waveforms = [read_audio(path) for path in find_audio_files(CLIPS)]
    embedder = open_embedder(preset)
    expected = embedder.embed(waveforms)
    with tempfile.TemporaryDirectory() as folder:
        full, half, int8 = (Path(folder, name) for name in ("float32", "float16", "int8"))
        embedder.encoder.save_to_preset(full)
        print_row("float32 preset", embed(full, waveforms), expected, weights(full))
        SpectrogramEncoder.from_preset(full, dtype="float16").save_to_preset(half)
        print_row("float16 preset", embed(half, waveforms), expected, weights(half))
        for name, options in (("LiteRT", {}), ("LiteRT, int8", {"int8": True})):
            file = Path(folder, f"{len(options)}.tflite")
            export_model(embedder, file, "litert", **options)
            print_row(name, [run_litert(file, x) for x in waveforms], expected, file)
        embedder.encoder.quantize("int8")
        embedder.encoder.save_to_preset(int8)
        print_row("int8 preset", embed(int8, waveforms), expected, weights(int8))


def embed(preset: Path, waveforms: list[np.ndarray]) -> np.ndarray:
    return AudioEmbedder.from_preset(preset).embed(waveforms)


def weights(preset: Path) -> Path:
    return preset / "model.weights.h5"


def run_litert(file: Path, waveform: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, (1, waveform.size))
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, waveform[np.newaxis].astype("float32"))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy()


def print_row(name, actual, expected: np.ndarray, file: Path) -> None:
    actual = np.asarray(actual)
    norms = np.linalg.norm(actual, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = (actual * expected).sum(axis=1) / norms
    largest = np.abs(actual - expected).max() / np.abs(expected).max()
    size = file.stat().st_size / 1e6
    print(
        f"{name:15s} {size:6.1f} MB  cosine {cosines.min():.5f} (mean {cosines.mean():.5f})  "
        f"largest difference {largest:.1e} of the largest value",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
