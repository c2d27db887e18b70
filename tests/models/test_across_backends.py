"""A preset saved on one backend gives the same embeddings on the others."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_axlstm
from tests.support.tolerances import BACKENDS_AGREE, relative_error

EMBED = """
import sys
import numpy as np
import keras_axlstm

preset, waveform, output = sys.argv[1:]
results = {}
for one_pass in (False, True):
    embedder = keras_axlstm.AudioEmbedder.from_preset(preset, one_pass=one_pass)
    results[f"scene_{one_pass}"] = embedder.embed(np.load(waveform))
    results[f"frames_{one_pass}"] = embedder.embed_timestamps(np.load(waveform))[0]
np.savez(output, **results)
"""


def embed(backend, preset, waveform, output):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", EMBED, str(preset), str(waveform), str(output)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    with np.load(output) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_preset_gives_the_same_embeddings_elsewhere(name, tmp_path):
    if name == "axlstm":
        encoder = keras_axlstm.AxLSTMEncoder(hidden_dim=32, num_layers=3, flip=True)
        converter = keras_axlstm.AxLSTMAudioConverter()
    else:
        encoder = keras_axlstm.SSASTEncoder(hidden_dim=48, num_layers=2)
        converter = keras_axlstm.SSASTAudioConverter()
    encoder.save_to_preset(str(tmp_path / "preset"))
    converter.save_to_preset(str(tmp_path / "preset"))
    rng = np.random.default_rng(0)
    np.save(tmp_path / "waveform.npy", 0.1 * rng.normal(size=45_000).astype("float32"))

    here = keras.backend.backend()
    found = {
        backend: embed(
            backend, tmp_path / "preset", tmp_path / "waveform.npy", tmp_path / f"{backend}.npz"
        )
        for backend in ("jax", "tensorflow", "torch")
    }
    for backend, arrays in found.items():
        assert arrays["frames_False"].shape == (71, 5 * encoder.hidden_dim)
        for key, array in arrays.items():
            assert relative_error(array, found[here][key]) <= BACKENDS_AGREE, (backend, key)
