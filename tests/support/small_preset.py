"""A preset that computes in no time."""

from pathlib import Path

import keras

from keras_axlstm.models import AxLSTMAudioConverter, AxLSTMEncoder


def save_small_preset(folder: Path) -> Path:
    """Write a preset of 80 numbers an embedding, windows of 0.4 s, with random weights."""
    keras.utils.set_random_seed(0)
    encoder = AxLSTMEncoder((40, 80), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    encoder.save_to_preset(str(folder))
    AxLSTMAudioConverter(normalization="clip").save_to_preset(str(folder))
    return folder
