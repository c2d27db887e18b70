"""A preset saved on one backend gives the same embeddings and classes on the others."""

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

CLASSIFY = """
import sys
import numpy as np
import keras_axlstm

preset, waveform, output = sys.argv[1:]
encoder, adapter = np.load(waveform.replace(".npy", ".adapter.npy")).tolist()
classifier = keras_axlstm.AudioClassifier.from_preset(preset)
adapted = keras_axlstm.AudioClassifier.from_preset(encoder, adapter=adapter)
waveform = np.load(waveform)
scores, adapted_scores = (
    model.predict([waveform, waveform[:7000]], verbose=0) for model in (classifier, adapted)
)
np.savez(
    output, scores=scores, adapted_scores=adapted_scores, class_names=classifier.class_names
)
"""


def run(script, backend, preset, waveform, output):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", script, str(preset), str(waveform), str(output)]
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
        backend: run(
            EMBED,
            backend,
            tmp_path / "preset",
            tmp_path / "waveform.npy",
            tmp_path / f"{backend}.npz",
        )
        for backend in ("jax", "tensorflow", "torch")
    }
    for backend, arrays in found.items():
        assert arrays["frames_False"].shape == (71, 5 * encoder.hidden_dim)
        for key, array in arrays.items():
            assert relative_error(array, found[here][key]) <= BACKENDS_AGREE, (backend, key)


def test_a_trained_classifier_predicts_the_same_elsewhere(tmp_path):
    rng = np.random.default_rng(0)
    waveform = 0.1 * rng.normal(size=20_000).astype("float32")
    keras_axlstm.AxLSTMEncoder(hidden_dim=16, num_layers=2, num_heads=2, flip=True).save_to_preset(
        str(tmp_path / "encoder")
    )
    classifier = keras_axlstm.AudioClassifier.from_preset(
        tmp_path / "encoder", class_names=["rain", "Vögel"], pooling="attention"
    )
    classifier.backbone.enable_lora(2)
    classifier.compile(keras.optimizers.Adam(0.02))
    classifier.fit([waveform, waveform[:9000] ** 2], ["rain", "Vögel"], epochs=3, verbose=0)
    expected = classifier.predict([waveform, waveform[:7000]], verbose=0)
    classifier.save_to_preset(str(tmp_path / "preset"))
    classifier.save_adapter(tmp_path / "adapter.npz")
    np.save(tmp_path / "waveform.npy", waveform)
    np.save(
        tmp_path / "waveform.adapter.npy",
        [str(tmp_path / "encoder"), str(tmp_path / "adapter.npz")],
    )
    for backend in {"jax", "tensorflow", "torch"} - {keras.backend.backend()}:
        found = run(
            CLASSIFY,
            backend,
            tmp_path / "preset",
            tmp_path / "waveform.npy",
            tmp_path / f"{backend}.npz",
        )
        assert found["class_names"].tolist() == ["rain", "Vögel"]
        for scores in (found["scores"], found["adapted_scores"]):
            assert relative_error(scores, expected) <= BACKENDS_AGREE, backend
