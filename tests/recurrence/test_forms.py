"""The forms among themselves and against a NumPy oracle: states, masks, gates, odd lengths."""

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm import ops
from tests.recurrence import oracle
from tests.support.compiled import compiled
from tests.support.gradients import vjp
from tests.support.methods import BLOCKED_METHODS, METHODS
from tests.support.tolerances import (
    GOLDEN_GRADIENT,
    GOLDEN_OUTPUT,
    LOW_PRECISION,
    SAME_FORMULA,
    relative_error,
)

LENGTHS = (1, 63, 64, 65, 251)


def random_arguments(steps, heads=2, head_dim=8, batch=2, seed=0, forget_bias=3.0, scale=1.0):
    rng = np.random.default_rng(seed)
    query, key, value = rng.normal(size=(3, batch, steps, heads, head_dim))
    input_gate, forget_gate = rng.normal(scale=scale, size=(2, batch, steps, heads))
    arrays = (query, key, value, input_gate, forget_gate + forget_bias)
    return [x.astype("float32") for x in arrays]


def mlstm(*arguments, initial_state=None, mask=None, **options):
    """The op, compiled; the plain loop of the reference would take long to compile."""

    def run(arguments, initial_state, mask):
        return ops.mlstm(*arguments, initial_state=initial_state, mask=mask, **options)

    run = run if options.get("form") == "reference" else compiled(run)
    return run(arguments, initial_state, mask)


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("input_gate", ("exp", "sigmoid"))
@pytest.mark.parametrize("forget_gate", ("sigmoid", "exp"))
def test_gate_kinds_against_oracle(method, input_gate, forget_gate):
    # An exponential forget gate grows without bound above 0: keep it below.
    bias = 3.0 if forget_gate == "sigmoid" else -0.5
    arguments = random_arguments(40, forget_bias=bias, scale=0.3)
    h = mlstm(
        *arguments,
        input_gate_activation=input_gate,
        forget_gate_activation=forget_gate,
        **method,
    )
    assert relative_error(h, oracle.mlstm(*arguments, input_gate, forget_gate)) <= GOLDEN_OUTPUT


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("method", BLOCKED_METHODS)
def test_block_forms_equal_recurrent_with_states(method, steps):
    arguments = random_arguments(steps)
    _, state = mlstm(*random_arguments(17, seed=1), form="recurrent", return_state=True)
    settings = {"initial_state": state, "return_state": True}
    h, last = mlstm(*arguments, chunk_size=32, **method, **settings)
    expected, expected_last = mlstm(*arguments, form="recurrent", **settings)
    assert relative_error(numpy(h), numpy(expected)) <= SAME_FORMULA
    for array, expected_array in zip(last, expected_last, strict=True):
        assert relative_error(numpy(array), numpy(expected_array)) <= SAME_FORMULA


@pytest.mark.parametrize("method", METHODS)
def test_sequence_in_pieces_equals_whole(method):
    arguments = random_arguments(90)
    whole = mlstm(*arguments, form="recurrent")
    pieces, state = [], None
    for start, stop in ((0, 1), (1, 30), (30, 90)):
        piece = [x[:, start:stop] for x in arguments]
        settings = {"initial_state": state, "return_state": True, "chunk_size": 16}
        h, state = mlstm(*piece, **method, **settings)
        pieces.append(numpy(h))
    assert relative_error(np.concatenate(pieces, axis=1), numpy(whole)) <= SAME_FORMULA


@pytest.mark.parametrize("method", BLOCKED_METHODS)
def test_gradients_through_initial_state(method):
    arguments = random_arguments(50)
    _, state = mlstm(*random_arguments(17, seed=1), form="recurrent", return_state=True)
    state = [numpy(x) for x in state]
    cotangent = np.random.default_rng(2).normal(size=arguments[0].shape)

    def run(**options):
        def function(*xs):
            return ops.mlstm(*xs[:5], initial_state=xs[5:], chunk_size=16, **options)

        return vjp(function, [*arguments, *state], cotangent)[1]

    for gradient, expected in zip(run(**method), run(form="recurrent"), strict=True):
        # The gradient of m vanishes but for the 1e-6 in the normaliser.
        if np.linalg.norm(expected) > 1e-3:
            assert relative_error(gradient, expected) <= GOLDEN_GRADIENT


@pytest.mark.parametrize("method", METHODS)
def test_masked_steps_leave_no_trace(method):
    steps = 45
    arguments = random_arguments(steps)
    mask = np.random.default_rng(3).random((2, steps)) < 0.6
    mask[0, :5] = False  # masked steps before the first real one
    poisoned = [np.where(mask[(...,) + (None,) * (x.ndim - 2)], x, 1e4) for x in arguments]
    h, state = mlstm(*poisoned, mask=mask, chunk_size=16, return_state=True, **method)
    assert np.all(np.isfinite(numpy(h)))
    for b in range(2):
        real = [x[b : b + 1, mask[b]] for x in arguments]
        expected, expected_state = mlstm(*real, form="recurrent", return_state=True)
        assert relative_error(numpy(h)[b, mask[b]], numpy(expected)[0]) <= SAME_FORMULA
        for array, expected_array in zip(state, expected_state, strict=True):
            assert relative_error(numpy(array)[b], numpy(expected_array)[0]) <= SAME_FORMULA


@pytest.mark.parametrize("method", METHODS)
def test_all_masked_is_an_empty_memory(method):
    mask = np.zeros((2, 9), bool)
    _, (C, n, m) = mlstm(*random_arguments(9), mask=mask, return_state=True, **method)
    assert not np.any(numpy(C)) and not np.any(numpy(n))
    assert np.all(numpy(m) == -np.inf)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("input_bias", (-60.0, 0.0, 20.0))
def test_both_branches_of_the_normaliser(method, input_bias):
    """exp(-m) wins for small input gates, |n.q| for large ones; gradients exact in both."""
    arguments = random_arguments(12, scale=0.5)
    # n.q keeps away from 0, where float32 has nothing to go by: positive in one head, negative
    # in the other.
    signs = np.array([1, -1], "float32")[:, None]
    arguments[0], arguments[1] = np.abs(arguments[0]) * signs, np.abs(arguments[1])
    arguments[3] = arguments[3] + np.float32(input_bias)
    cotangent = np.random.default_rng(2).normal(size=arguments[0].shape)
    # Large magnitudes are carried outside, so that float32 gradients do not underflow.
    h, gradients = vjp(
        lambda *xs: ops.mlstm(*xs, **method) * np.float32(np.exp(max(0.0, -input_bias))),
        arguments,
        cotangent,
        compile=method["form"] != "reference",
    )
    shifted = [*arguments[:3], arguments[3].astype("float64"), arguments[4]]
    expected = oracle.mlstm(*shifted, "exp", "sigmoid") * np.exp(max(0.0, -input_bias))
    assert relative_error(h, expected) <= GOLDEN_OUTPUT
    # The derivative along a direction of every argument, from central differences in float64.
    rng = np.random.default_rng(4)
    for index, gradient in enumerate(gradients):
        direction = rng.normal(size=gradient.shape)
        step = 1e-5
        values = []
        for sign in (1, -1):
            moved = [x.astype("float64") for x in shifted]
            moved[index] = moved[index] + sign * step * direction
            moved_h = oracle.mlstm(*moved, "exp", "sigmoid") * np.exp(max(0.0, -input_bias))
            values.append(np.sum(moved_h * cotangent))
        derivative = (values[0] - values[1]) / (2 * step)
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        actual = np.sum(gradient.astype("float64") * direction)
        assert abs(actual - derivative) <= GOLDEN_GRADIENT * scale + 1e-6


@hypothesis.settings(max_examples=8)
@given(
    steps=st.integers(1, 40),
    chunk_size=st.integers(1, 20),
    head_dim=st.integers(1, 9),
    scale=st.sampled_from((0.1, 1.0, 30.0, 120.0)),
    seed=st.integers(0, 1000),
)
def test_forms_agree(steps, chunk_size, head_dim, scale, seed):
    arguments = random_arguments(steps, 1, head_dim, 1, seed, scale=scale)
    expected = mlstm(*arguments, form="recurrent")
    for method in (param.values[0] for param in BLOCKED_METHODS):
        h = mlstm(*arguments, chunk_size=chunk_size, **method)
        assert np.all(np.isfinite(numpy(h)))
        assert relative_error(numpy(h), numpy(expected)) <= GOLDEN_GRADIENT, method


def test_low_precision_inputs_keep_float32_states():
    arguments = random_arguments(70)
    for dtype, tolerance in LOW_PRECISION.items():
        low = [keras.ops.cast(x, dtype) for x in arguments]
        expected = numpy(mlstm(*(keras.ops.cast(x, "float32") for x in low)))
        for method in (param.values[0] for param in METHODS):
            h, state = mlstm(*low, return_state=True, **method)
            assert keras.backend.standardize_dtype(h.dtype) == dtype
            assert all(keras.backend.standardize_dtype(x.dtype) == "float32" for x in state)
            h = numpy(keras.ops.cast(h, "float32"))
            assert relative_error(h, expected) <= tolerance


def test_linear_form_inside_a_larger_graph():
    """Arguments computed in the same compiled function: XLA then fuses them with the chunks."""
    x, gate = random_arguments(1001, heads=4, head_dim=24, batch=1)[2:4]

    def run(**options):
        def function(x, gate):
            return ops.mlstm(2 * x, x + 1, x, gate, gate + 4, **options)

        return numpy(compiled(function)(x, gate))

    linear = run(form="chunkwise", implementation="ops")
    assert relative_error(linear, run(form="parallel")) <= GOLDEN_GRADIENT
