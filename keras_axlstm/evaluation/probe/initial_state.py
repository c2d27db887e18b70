"""Weights before the first step."""

import math

import numpy as np

from keras_axlstm.evaluation.probe.grid_point import GridPoint

State = dict[str, dict[str, np.ndarray]]


def initial_state(
    point: GridPoint, features: int, hidden: int, classes: int, rng: np.random.Generator
) -> State:
    """State of one model, with a leading axis of length 1.

    Kernels are drawn by Xavier's rule, the first with gain 1 and the others, which follow a ReLU,
    with gain sqrt(2). Biases are drawn as those of PyTorch's `Linear`, uniformly within
    1 / sqrt(inputs); those of hidden layers live on as the negative initial moving mean.
    """
    weights: dict[str, np.ndarray] = {}
    statistics: dict[str, np.ndarray] = {}
    inputs, gain = features, 1.0
    for i in range(point.hidden_layers):
        weights[f"kernel_{i}"] = _kernel(point, inputs, hidden, gain, rng)
        weights[f"scale_{i}"] = np.ones((1, 1, hidden), np.float32)
        weights[f"offset_{i}"] = np.zeros((1, 1, hidden), np.float32)
        statistics[f"mean_{i}"] = -_bias(inputs, hidden, rng)
        statistics[f"variance_{i}"] = np.ones((1, 1, hidden), np.float32)
        inputs, gain = hidden, math.sqrt(2.0)
    weights["output"] = _kernel(point, inputs, classes, gain, rng)
    weights["bias"] = _bias(inputs, classes, rng)
    return {
        "weights": weights,
        "moments": {name: np.zeros_like(value) for name, value in weights.items()},
        "squares": {name: np.zeros_like(value) for name, value in weights.items()},
        "statistics": statistics,
    }


def _kernel(
    point: GridPoint, inputs: int, outputs: int, gain: float, rng: np.random.Generator
) -> np.ndarray:
    deviation = gain * math.sqrt(2.0 / (inputs + outputs))
    shape = (1, inputs, outputs)
    if point.initialization == "xavier_normal":
        return deviation * rng.standard_normal(shape, np.float32)
    return np.float32(deviation * math.sqrt(3.0)) * (2.0 * rng.random(shape, np.float32) - 1.0)


def _bias(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    return (2.0 * rng.random((1, 1, outputs), np.float32) - 1.0) / np.float32(math.sqrt(inputs))
