"""Dense layers over tokens: by the kernel for tile units, and by the backend."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_axlstm.layers.projection import multiply, project
from keras_axlstm.recurrence import choice
from keras_axlstm.recurrence.kernels import implementation_set_to
from tests.support.gradients import vjp
from tests.support.kernels import skip_without
from tests.support.tolerances import LOW_PRECISION, SAME_FORMULA, relative_error

SHAPES = [  # rows, inputs, outputs: full tiles, one too many, several blocks of depth, of rows
    (64, 32, 32),
    (65, 33, 31),
    (251, 1, 1),
    (97, 1601, 5),
    (2100, 16, 300),
]


def arrays_of(shape, scale=1.0):
    rows, inputs, outputs = shape
    rng = np.random.default_rng(rows)
    pairs = ((rows, inputs), (inputs, outputs), (rows, outputs))
    return [(scale * rng.normal(size=pair)).astype("float32") for pair in pairs]


def expected_of(x, weights, dy):
    """In float64, the product and its gradients."""
    x, weights, dy = (array.astype("float64") for array in (x, weights, dy))
    return [x @ weights, dy @ weights.T, x.T @ dy]


def received_of(x, weights, dy, dtype="float32"):
    def function(x, weights):
        y = multiply(keras.ops.cast(x, dtype), keras.ops.cast(weights, dtype))
        return keras.ops.cast(y, "float32")

    y, gradients = vjp(function, [x, weights], dy)
    return [y, *gradients]


@pytest.mark.parametrize("dtype", ("float32", "bfloat16"))
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients(shape, dtype):
    skip_without("projection")
    arrays = arrays_of(shape)
    tolerance = SAME_FORMULA if dtype == "float32" else LOW_PRECISION[dtype]
    for received, expected in zip(received_of(*arrays, dtype), expected_of(*arrays), strict=True):
        assert relative_error(received, expected) <= tolerance


@settings(max_examples=10, deadline=None)
@given(st.tuples(st.integers(64, 200), st.integers(1, 70), st.integers(1, 70)))
def test_any_shape(shape):
    arrays = arrays_of(shape)
    for received, expected in zip(received_of(*arrays), expected_of(*arrays), strict=True):
        assert relative_error(received, expected) <= SAME_FORMULA


@pytest.mark.parametrize("magnitude", (1e-18, 1e18))
def test_as_exact_as_float32(magnitude):
    """Each number against its own scale: parts of a number that are left out would show."""
    x, weights, _ = arrays_of((128, 64, 48))
    x *= np.float32(magnitude)
    y = keras.ops.convert_to_numpy(multiply(*map(keras.ops.convert_to_tensor, (x, weights))))
    exact = x.astype("float64") @ weights
    scale = np.abs(x.astype("float64")) @ np.abs(weights)
    assert np.max(np.abs(y - exact) / scale) <= np.finfo("float32").eps * 64**0.5


def test_what_is_not_finite_stays_so():
    x, weights, _ = arrays_of((70, 40, 20))
    x[3, 5], x[68, 39] = np.inf, np.nan
    y = keras.ops.convert_to_numpy(multiply(*map(keras.ops.convert_to_tensor, (x, weights))))
    assert not np.any(np.isfinite(y[[3, 68]]))
    others = np.delete(np.arange(70), [3, 68])
    assert relative_error(y[others], x[others] @ weights) <= SAME_FORMULA


@pytest.fixture
def any_size(monkeypatch):
    """The kernel is used for small products too."""
    for dtype in ("float32", "bfloat16"):
        monkeypatch.setitem(choice.LARGE_PROJECTION, (keras.backend.backend(), dtype), 1)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("time", (1, 64))
@pytest.mark.parametrize("policy", ("float32", "mixed_bfloat16", "mixed_float16"))
def test_a_dense_layer(time, policy):
    dense = keras.layers.Dense(24, activation="gelu", bias_initializer="normal", dtype=policy)
    x = np.random.default_rng(0).normal(size=(2, time, 40)).astype("float32")
    dense.build((2, time, 40))
    x = keras.ops.cast(x, dense.compute_dtype)
    with implementation_set_to("ops"):
        expected = keras.ops.cast(dense(x), "float32")
    received = project(dense, x)
    assert keras.backend.standardize_dtype(received.dtype) == dense.compute_dtype
    tolerance = LOW_PRECISION.get(dense.compute_dtype, SAME_FORMULA)
    received = keras.ops.cast(received, "float32")
    assert relative_error(*map(keras.ops.convert_to_numpy, (received, expected))) <= tolerance


@pytest.mark.usefixtures("any_size")
def test_low_rank_adaptation_and_quantization():
    dense = keras.layers.Dense(24, use_bias=False)
    dense.build((None, None, 40))
    x = np.random.default_rng(0).normal(size=(1, 64, 40)).astype("float32")
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(np.ones((2, 24)))
    agree(dense, x)
    assert len(dense.trainable_weights) == 2
    dense.quantize("int8")
    agree(dense, x)


def agree(dense, x):
    expected = keras.ops.convert_to_numpy(dense(x))
    received = keras.ops.convert_to_numpy(project(dense, keras.ops.convert_to_tensor(x)))
    assert relative_error(received, expected) <= SAME_FORMULA
