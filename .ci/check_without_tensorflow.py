"""Usage: check_without_tensorflow.py CLIP: the package works where TensorFlow is not installed."""

import importlib.util
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

import keras_axlstm


def main(clip: str) -> None:
    if importlib.util.find_spec("tensorflow"):
        sys.exit("expected an environment without TensorFlow, found one with it")
    checkout = Path(__file__).parents[1]
    if checkout in Path(keras_axlstm.__file__).parents:
        sys.exit(f"expected the installed package, found the checkout {checkout}")

    keras.utils.set_random_seed(0)
    encoder = keras_axlstm.AxLSTMEncoder(hidden_dim=32, num_layers=2)
    before = keras_axlstm.AudioEmbedder(encoder).embed(clip)
    with tempfile.TemporaryDirectory() as folder:
        encoder.save_to_preset(folder)
        after = keras_axlstm.AudioEmbedder.from_preset(folder).embed(clip)
    np.testing.assert_array_equal(before, after)
    if not np.all(np.isfinite(before)) or before.shape != (5 * 32,):
        sys.exit(f"expected 160 finite numbers, got {before.shape}: {before}")

    named = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    if named.count_params() < 4_000_000:
        sys.exit(f"expected the tiny encoder, got {named.count_params()} parameters")
    print(f"works on {keras.backend.backend()} without TensorFlow")


main(sys.argv[1])
