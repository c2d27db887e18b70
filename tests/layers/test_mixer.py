"""The fused middle of a block against the same from layers: values and all gradients."""

import keras
import numpy as np
import pytest

from keras_axlstm.layers import AxLSTMBlock
from keras_axlstm.layers.mixer import mix
from keras_axlstm.recurrence.kernels import MixerParameters, implementation_set_to
from tests.support.compiled import compiled
from tests.support.gradients import vjp
from tests.support.tolerances import FUSED, GOLDEN_EXTREME, LOW_PRECISION, relative_error

CASES = [  # steps, hidden_dim, options
    (37, 16, {}),
    (1, 16, {}),
    (130, 48, {"reverse": True}),
    (130, 32, {"input_gate": "sigmoid"}),
    (251, 192, {}),
    (500, 16, {"reverse": True}),  # in chunks
]


def block_of(hidden_dim, steps, options):
    block = AxLSTMBlock(num_heads=4, **options)
    block.build((None, steps, hidden_dim))
    rng = np.random.default_rng(0)
    for weight in block.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + 0.1 * rng.normal(size=weight.shape))
    return block


def arguments_of(block, steps, hidden_dim):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(2, steps, 6 * hidden_dim)).astype("float32")
    mask = np.arange(steps) < np.array([[steps], [max(1, steps - 7)]])
    parameters = [keras.ops.convert_to_numpy(x) for x in block.mixer_parameters()]
    return inputs, mask, parameters


@pytest.mark.parametrize("masked", (False, True))
@pytest.mark.parametrize(("steps", "hidden_dim", "options"), CASES)
def test_values_and_gradients(steps, hidden_dim, options, masked):
    check(block_of(hidden_dim, steps, options), steps, hidden_dim, masked, FUSED)


@pytest.mark.parametrize(("bias", "tolerance"), [(-0.5, FUSED), (4.0, GOLDEN_EXTREME)])
def test_exponential_forget_gate(bias, tolerance):
    """Above 0 the memory grows without bound: all of h stems from the first steps, and the
    gradients of the gates are small differences of large numbers."""
    block = block_of(32, 130, {"input_gate": "sigmoid", "forget_gate": "exp"})
    block.mlstm.forget_gate_bias.assign(np.full(4, bias))
    check(block, 130, 32, True, tolerance)


def check(block, steps, hidden_dim, masked, tolerance):
    inputs, mask, parameters = arguments_of(block, steps, hidden_dim)
    cotangent = np.random.default_rng(2).normal(size=(2, steps, 3 * hidden_dim))
    cotangent *= mask[..., None]

    def run(implementation):
        def function(inputs, *parameters):
            real = keras.ops.convert_to_tensor(mask) if masked else None
            weights = MixerParameters(*parameters)
            return mix(inputs, real, weights, block._mixer_options(steps))

        with implementation_set_to(implementation):
            return vjp(function, [inputs, *parameters], cotangent)

    y, gradients = run("fused")
    expected_y, expected = run("ops")
    real = mask if masked else np.ones_like(mask)
    assert relative_error(y[real], expected_y[real]) <= tolerance
    names = ("inputs", *MixerParameters._fields)
    for name, gradient, reference in zip(names, gradients, expected, strict=True):
        assert relative_error(gradient, reference) <= tolerance, name


def test_bfloat16():
    block = block_of(48, 130, {})
    inputs, _, parameters = arguments_of(block, 130, 48)
    low = keras.ops.cast(inputs, "bfloat16")
    rounded = keras.ops.cast(low, "float32")
    weights = MixerParameters(*map(keras.ops.convert_to_tensor, parameters))

    def run(x, implementation):
        def function(x):
            return keras.ops.cast(mix(x, None, weights, block._mixer_options(130)), "float32")

        with implementation_set_to(implementation):
            return keras.ops.convert_to_numpy(compiled(function)(x))

    error = relative_error(run(low, "fused"), run(rounded, "ops"))
    assert 0 < error <= LOW_PRECISION["bfloat16"]


def test_a_block_on_batches_of_different_size():
    """Batches of one, of fewer elements than threads and of more take different ways."""
    block = block_of(16, 70, {})
    inputs = np.random.default_rng(3).normal(size=(9, 70, 16)).astype("float32")
    whole = keras.ops.convert_to_numpy(block(inputs))
    for count in (1, 3, 8):
        part = keras.ops.convert_to_numpy(block(inputs[:count]))
        assert relative_error(part, whole[:count]) <= FUSED


@pytest.mark.parametrize("jit_compile", (False, "auto"))
def test_open_batch_dimension(jit_compile):
    """As Keras traces `fit` and `predict` on TensorFlow."""
    block = block_of(16, 70, {})
    inputs = keras.Input((70, 16))
    model = keras.Model(inputs, block(inputs))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = np.random.default_rng(3).normal(size=(5, 70, 16)).astype("float32")
    with implementation_set_to("ops"):
        expected = keras.ops.convert_to_numpy(block(x))
    assert relative_error(model.predict(x, batch_size=3, verbose=0), expected) <= FUSED
    before = model.evaluate(x, x, verbose=0)
    model.fit(x, x, batch_size=3, epochs=2, verbose=0)
    assert model.evaluate(x, x, verbose=0) < before
