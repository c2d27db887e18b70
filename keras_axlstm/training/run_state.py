"""The variables that a training goes on from."""

import keras
import numpy as np

from keras_axlstm.distribution import Distribution


def read_arrays(model: keras.Model, distribution: Distribution) -> dict[str, np.ndarray]:
    """Weights, states of random generators, and the optimizer's variables, by name."""
    return {name: distribution.to_numpy(value) for name, value in _variables(model).items()}


def write_arrays(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Set the variables to what `read_arrays` gave; those of the optimizer if it is compiled.

    Raises:
        ValueError: the arrays are of another model.
    """
    variables = _variables(model)
    if not model.compiled:
        arrays = {name: array for name, array in arrays.items() if name in variables}
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: array.shape for name, array in arrays.items()}
    if expected != received:
        names = sorted(name for name, _ in expected.items() ^ received.items())
        raise ValueError(
            "The checkpoint is of another model or version: expected the variables of this one. "
            f"Different: {', '.join(sorted(set(names))[:5])}"
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    # Metrics begin anew with each row.
    metrics = {id(variable) for variable in model.metrics_variables}
    kept = [variable for variable in model.variables if id(variable) not in metrics]
    named = {f"model_{i:04d}": variable for i, variable in enumerate(kept)}
    optimizer = model.optimizer.variables if model.compiled else []
    return named | {f"optimizer_{i:04d}": variable for i, variable in enumerate(optimizer)}
