"""The fused op at the sizes of the models, against an oracle and against `keras.ops`."""

import keras
import numpy as np
import pytest

from keras_axlstm import ops
from tests.recurrence import oracle
from tests.support.compiled import compiled
from tests.support.gradients import vjp
from tests.support.tolerances import FUSED, GOLDEN_EXTREME, LOW_PRECISION, relative_error

CASES = [
    *((steps, 16) for steps in (1, 63, 64, 251, 501)),
    *((130, head_dim) for head_dim in (6, 8, 144, 288, 576)),
]
SCALES = (1.0, 30.0)  # of the gates


def arguments(steps, head_dim, heads=2, batch=2, scale=1.0, dtype="float32"):
    rng = np.random.default_rng(steps + head_dim)
    query, key, value = rng.normal(size=(3, batch, steps, heads, head_dim))
    input_gate, forget_gate = rng.normal(scale=scale, size=(2, batch, steps, heads))
    return [x.astype(dtype) for x in (query, key, value, input_gate, forget_gate + 3)]


@pytest.mark.parametrize("form", ("parallel", "chunkwise"))
@pytest.mark.parametrize(("steps", "head_dim"), CASES)
def test_values_against_oracle(steps, head_dim, form):
    xs = arguments(steps, head_dim)
    h = compiled(lambda *xs: ops.mlstm(*xs, form=form, implementation="fused"))(*xs)
    assert relative_error(h, oracle.mlstm(*xs, "exp", "sigmoid")) <= FUSED


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("form", ("parallel", "chunkwise"))
@pytest.mark.parametrize(("steps", "head_dim"), CASES)
def test_gradients_against_ops(steps, head_dim, form, scale):
    """With a mask, an initial state and the last state in the loss."""
    xs = arguments(steps, head_dim, scale=scale)
    settings = {"return_state": True, "implementation": "ops"}
    _, state = compiled(lambda *xs: ops.mlstm(*xs, **settings))(*arguments(20, head_dim))
    state = [keras.ops.convert_to_numpy(x) for x in state]
    mask = np.random.default_rng(1).random((2, steps)) < 0.8
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=x.shape).astype("float32") for x in (xs[0], *state)]
    weights[3] *= 0.1

    def loss(implementation):
        def function(*tensors):
            h, last = ops.mlstm(
                *tensors[:5],
                initial_state=tensors[5:],
                return_state=True,
                mask=mask,
                form=form,
                implementation=implementation,
            )
            # What masked steps put out carries no meaning.
            h = keras.ops.where(mask[:, :, None, None], h, 0.0)
            terms = zip((h, *last), map(keras.ops.convert_to_tensor, weights), strict=True)
            return keras.ops.stack([keras.ops.sum(x * weight) for x, weight in terms])

        return vjp(function, [*xs, *state], np.ones(4))

    tolerance = FUSED if scale == 1 else GOLDEN_EXTREME
    value, gradients = loss("fused")
    expected_value, expected = loss("ops")
    assert relative_error(value, expected_value) <= tolerance
    names = ("query", "key", "value", "input_gate", "forget_gate", "C", "n", "m")
    for name, gradient, reference in zip(names, gradients, expected, strict=True):
        # Where all memory is lost the gradients of gates and state are rounding around 0, and that
        # of m is the sum of C times its own gradient, in which terms cancel.
        terms = np.linalg.norm(expected[5] * state[0]) if name == "m" else 0.0
        floor = max(1e-3 * np.sqrt(reference.size), terms)
        error = np.linalg.norm(gradient - reference)
        assert error <= tolerance * max(np.linalg.norm(reference), floor), name


@pytest.mark.parametrize("form", ("parallel", "chunkwise"))
@pytest.mark.parametrize("head_dim", (16, 144))
def test_bfloat16(head_dim, form):
    xs = [keras.ops.cast(x, "bfloat16") for x in arguments(130, head_dim)]
    rounded = [keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in xs]
    options = {"form": form, "implementation": "fused", "output_dtype": "float32"}
    h = compiled(lambda *xs: ops.mlstm(*xs, **options))(*xs)
    expected = oracle.mlstm(*rounded, "exp", "sigmoid")
    assert relative_error(h, expected) <= LOW_PRECISION["bfloat16"]


def test_a_non_finite_input_stays_visible():
    xs = arguments(70, 8)
    xs[2][0, 40] = np.nan
    h = keras.ops.convert_to_numpy(ops.mlstm(*xs, implementation="fused"))
    assert np.all(np.isnan(h[0, 40:])) and np.all(np.isfinite(h[1]))
