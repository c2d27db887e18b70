"""Every form against values and gradients of the authors' code in float64."""

import numpy as np
import pytest

from keras_axlstm.ops import mlstm
from tests.support import tolerances
from tests.support.compiled import compiled
from tests.support.golden import load_golden
from tests.support.gradients import vjp
from tests.support.methods import METHODS

CASES = ("typical", "single_step", "long", "forgetful", "extreme_gates")
ARGUMENTS = ("q", "k", "v", "i", "f")


def case(name: str) -> dict[str, np.ndarray]:
    """One golden case; sequences moved from (B, NH, S, ...) to (B, S, NH, ...)."""
    arrays = load_golden("mlstm_op")
    prefix = f"{name}/"
    arrays = {key[len(prefix) :]: x for key, x in arrays.items() if key.startswith(prefix)}
    return {key: x if key.endswith("_last") else np.swapaxes(x, 1, 2) for key, x in arrays.items()}


def tolerance(name: str, usual: float) -> float:
    return tolerances.GOLDEN_EXTREME if name == "extreme_gates" else usual


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_output_and_gradients(name, method):
    golden = case(name)
    arguments = [golden[key] for key in ARGUMENTS]
    h, gradients = vjp(
        lambda *xs: mlstm(*xs, **method), arguments, golden["g"], method["form"] != "reference"
    )

    error = tolerances.relative_error(h, golden["h"])
    assert error <= tolerance(name, tolerances.GOLDEN_OUTPUT)
    for key, gradient in zip(ARGUMENTS, gradients, strict=True):
        error = tolerances.relative_error(gradient, golden[f"d{key}"])
        assert error <= tolerance(name, tolerances.GOLDEN_GRADIENT), key


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_final_state(name, method):
    golden = case(name)
    arguments = [golden[key].astype("float32") for key in ARGUMENTS]

    def run(*xs):
        return mlstm(*xs, **method, return_state=True)

    _, state = (run if method["form"] == "reference" else compiled(run))(*arguments)
    for key, array in zip(("C_last", "n_last", "m_last"), state, strict=True):
        error = tolerances.relative_error(array, golden[key])
        assert error <= tolerance(name, tolerances.GOLDEN_OUTPUT), key
