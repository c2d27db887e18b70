"""A whole block by one kernel against the same from `keras.ops`."""

import keras
import numpy as np
import pytest

from keras_axlstm.layers import AxLSTMBlock
from keras_axlstm.recurrence import kernels
from keras_axlstm.recurrence.kernels import implementation_set_to
from tests.support.compiled import compiled
from tests.support.gradients import vjp
from tests.support.kernels import skip_without
from tests.support.tolerances import FUSED, GOLDEN_EXTREME, relative_error

CASES = [  # steps, width, options: heads of 8, 16, 144, 288 and 576 channels, and of 12
    (1, 8, {"num_heads": 3}),
    (63, 16, {"num_heads": 3, "reverse": True}),
    (64, 192, {}),
    (251, 192, {"reverse": True}),
    (251, 20, {"num_heads": 5, "input_gate": "sigmoid"}),
    (501, 192, {"reverse": True}),  # in chunks
    (65, 192, {"num_heads": 2}),
    (70, 192, {"num_heads": 1}),
    (501, 12, {"num_heads": 3}),
]


def block_of(width, **options):
    block = AxLSTMBlock(**options)
    block.build((None, None, width))
    rng = np.random.default_rng(0)
    for weight in block.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + 0.1 * rng.normal(size=weight.shape))
    return block


def inputs_of(batch, steps, width):
    x = np.random.default_rng(1).normal(size=(batch, steps, width)).astype("float32")
    return x, np.arange(steps) < np.linspace(steps, max(1, steps - 7), batch)[:, None]


def outputs_of(block, x, mask, implementation):
    """What the block adds to x, beside which a mistake would look small."""
    real = None if mask is None else keras.ops.convert_to_tensor(mask)
    with implementation_set_to(implementation):
        y = keras.ops.convert_to_numpy(compiled(lambda x: block(x, mask=real))(x))
    return (y - x)[np.ones(x.shape[:2], bool) if mask is None else mask]


@pytest.fixture
def calls(monkeypatch):
    """Of the kernel while a test runs; needs it."""
    skip_without("block")
    module, seen = kernels.backend_kernels(), []
    original = module.block

    def block(*arguments):
        seen.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(module, "block", block)
    return seen


@pytest.mark.parametrize(("steps", "width", "options"), CASES)
def test_values(steps, width, options, calls):
    x, mask = inputs_of(2 if width < 100 else 1, steps, width)
    block = block_of(width, **options)
    # A clip alone has no mask.
    mask = mask if len(x) > 1 else None
    received = outputs_of(block, x, mask, "fused")
    assert calls
    assert relative_error(received, outputs_of(block, x, mask, "ops")) <= FUSED


@pytest.mark.parametrize("gate", ("input_gate", "forget_gate"))
@pytest.mark.parametrize("bias", (-30.0, 8.0, 80.0))
def test_extreme_gates(gate, bias, calls):
    """Memories that keep nothing, steps that outweigh all others: without numbers below the normal
    ones, which the kernel takes for zero."""
    block = block_of(32)
    variable = getattr(block.mlstm, f"{gate}_bias")
    variable.assign(np.full(4, bias))
    x, mask = inputs_of(2, 130, 32)
    received, expected = (outputs_of(block, x, mask, name) for name in ("fused", "ops"))
    assert relative_error(received, expected) <= GOLDEN_EXTREME


def test_batches_of_any_size(calls):
    block = block_of(16)
    x, mask = inputs_of(9, 70, 16)
    whole = outputs_of(block, x, mask, "ops")
    for batch in (9, 3, 1):
        received = outputs_of(block, x[:batch], mask[:batch], "fused")
        assert relative_error(received, whole[: len(received)]) <= FUSED


def test_gradients_are_those_of_the_parts(calls):
    """Of a block whose call is traced before anything says that gradients are wanted."""
    block = block_of(16)
    x, mask = inputs_of(2, 70, 16)
    cotangent = np.random.default_rng(2).normal(size=x.shape).astype("float32")

    def run(implementation):
        def function(x):
            return block(x, mask=keras.ops.convert_to_tensor(mask))

        with implementation_set_to(implementation):
            return vjp(compiled(function), [x], cotangent)

    (y, (gradient,)), (expected_y, (expected,)) = run("fused"), run("ops")
    assert relative_error(y, expected_y) <= FUSED
    assert relative_error(gradient, expected) <= FUSED


def test_training(calls):
    """Steps of the optimizer with and without the kernels lead to the same place."""
    x, _ = inputs_of(3, 70, 16)

    def weights(implementation):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((70, 16))
        model = keras.Model(inputs, AxLSTMBlock()(inputs))
        model.compile("sgd", "mse")
        with implementation_set_to(implementation):
            model.fit(x, -x, batch_size=3, epochs=3, verbose=0)
        return np.concatenate([weight.ravel() for weight in model.get_weights()])

    assert relative_error(weights("fused"), weights("ops")) <= FUSED


def test_what_is_adapted_or_quantized():
    block = block_of(16)
    x, mask = inputs_of(2, 70, 16)
    block.up_projection.enable_lora(2)
    block.up_projection.lora_kernel_b.assign(np.ones((2, 96)))
    received, expected = (outputs_of(block, x, mask, name) for name in ("fused", "ops"))
    assert relative_error(received, expected) <= FUSED
    for projection in (block.up_projection, block.down_projection):
        projection.quantize("int8")
    received, expected = (outputs_of(block, x, mask, name) for name in ("fused", "ops"))
    assert relative_error(received, expected) <= FUSED


@pytest.mark.parametrize("policy", ("mixed_bfloat16", "mixed_float16"))
def test_other_dtypes_are_left_to_the_parts(policy, calls):
    x, _ = inputs_of(2, 70, 16)
    y = AxLSTMBlock(dtype=policy)(x)
    assert not calls
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")


def test_what_is_not_finite_stays_so(calls):
    x, _ = inputs_of(1, 70, 16)
    x[0, 40, 3] = np.nan
    assert np.all(np.isnan(outputs_of(block_of(16), x, None, "fused")[40:]))
