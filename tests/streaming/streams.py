"""What the tests of streams share."""

import keras
import numpy as np

from keras_axlstm.models import AxLSTMEncoder


def new_encoder(**arguments):
    """A small encoder whose every weight matters."""
    sizes = {"spectrogram_shape": (40, 80), "hidden_dim": 16, "num_layers": 2, "num_heads": 2}
    encoder = AxLSTMEncoder(**{**sizes, **arguments})
    generator = np.random.default_rng(1)
    for weight in encoder.weights:
        noise = generator.normal(scale=0.1, size=weight.shape)
        weight.assign(keras.ops.convert_to_numpy(weight) + noise)
    return encoder


def noise(samples, seed=0):
    """Noise whose loudness changes, so that no two stretches look alike."""
    generator = np.random.default_rng(seed)
    loudness = np.interp(np.arange(samples), np.linspace(0, samples, 9), generator.random(9))
    return (0.3 * loudness * generator.standard_normal(samples)).astype("float32")


def cut(array, places):
    """Parts of an array, cut at `places` in any order."""
    return np.split(array, sorted(places))
