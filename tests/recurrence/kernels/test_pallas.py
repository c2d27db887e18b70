"""The Pallas kernels for TPUs, interpreted, against an oracle and against `keras.ops`."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("the Pallas kernels belong to the jax backend", allow_module_level=True)

import jax
import jax.numpy as jnp
from jax.experimental.pallas import tpu as pltpu

from keras_axlstm import ops
from keras_axlstm.recurrence.gates import SHUT, log_sigmoid
from keras_axlstm.recurrence.kernels.native.call import mlstm_call
from keras_axlstm.recurrence.kernels.pallas import op
from tests.recurrence import oracle
from tests.support.tolerances import FUSED, GOLDEN_EXTREME, LOW_PRECISION, relative_error

STEPS = (1, 63, 64, 130)
HEAD_DIMS = (8, 16, 144)
NAMES = ("query", "key", "value", "input_gate", "forget_gate")


def arguments(steps, head_dim, scale=1.0, input_gate=0.0):
    rng = np.random.default_rng(steps + head_dim)
    sequences = rng.normal(size=(3, 2, steps, 2, head_dim))
    gates = rng.normal(scale=scale, size=(2, 2, steps, 2))
    return [x.astype("float32") for x in (*sequences, gates[0] + input_gate, gates[1] + 3)]


def log_gates(input_gate, forget_gate, mask=None):
    """(B, NH, S), as the op hands them to a kernel."""
    log_i, log_f = input_gate, log_sigmoid(forget_gate)
    if mask is not None:
        log_i = jnp.where(mask[..., None], log_i, SHUT)
        log_f = jnp.where(mask[..., None], log_f, 0.0)
    return jnp.swapaxes(log_i, 1, 2), jnp.swapaxes(log_f, 1, 2)


def kernels(interpret):
    """The op as a function of query, key, value, log_i, log_f."""

    def forward(*inputs):
        h, *rows = op.forward(*inputs, interpret=interpret)
        return h, (inputs, h, *rows)

    def backward(saved, h_gradient):
        inputs, *results = saved
        return op.backward(*inputs, *results, h_gradient, interpret=interpret)

    mlstm = jax.custom_vjp(lambda *inputs: forward(*inputs)[0])
    mlstm.defvjp(forward, backward)
    return mlstm


def pallas(mask=None, interpret=True):
    mlstm = kernels(interpret)
    return lambda *xs: mlstm(*xs[:3], *log_gates(*xs[3:], mask))


def reference(mask=None):
    return lambda *xs: ops.mlstm(*xs, mask=mask, form="parallel", implementation="ops")


def value_and_gradients(function, xs, weight):
    def run(*xs):
        h, pull_back = jax.vjp(function, *xs)
        return h, pull_back(weight)

    return jax.jit(run)(*xs)


def check(xs, tolerance, mask=None, interpret=True):
    """Value and all gradients against `keras.ops`."""
    weight = np.random.default_rng(2).normal(size=xs[0].shape).astype("float32")
    if mask is not None:
        # What masked steps put out carries no meaning.
        weight *= mask[:, :, None, None]
    h, gradients = value_and_gradients(pallas(mask, interpret), xs, weight)
    expected, references = value_and_gradients(reference(mask), xs, weight)
    real = np.ones(h.shape[:2], bool) if mask is None else mask
    assert relative_error(np.asarray(h)[real], np.asarray(expected)[real]) <= tolerance
    for name, gradient, reference_gradient in zip(NAMES, gradients, references, strict=True):
        # A gradient of a gate is a sum of differences of terms as large as h times its gradient;
        # where one step outweighs all others nothing but their rounding is left.
        floor = 1e-2 * np.linalg.norm(np.sum(expected * weight, axis=-1)) if "gate" in name else 0.0
        norm = max(np.linalg.norm(reference_gradient), floor)
        error = np.linalg.norm(gradient - reference_gradient)
        assert error <= tolerance * norm, (name, error / norm)


@pytest.mark.parametrize("head_dim", HEAD_DIMS)
@pytest.mark.parametrize("steps", STEPS)
def test_values_against_oracle(steps, head_dim):
    xs = arguments(steps, head_dim)
    h = pallas()(*xs)
    assert h.dtype == "float32"
    assert relative_error(h, oracle.mlstm(*xs, "exp", "sigmoid")) <= FUSED


@pytest.mark.parametrize("head_dim", HEAD_DIMS)
@pytest.mark.parametrize("steps", STEPS)
def test_gradients_against_ops(steps, head_dim):
    check(arguments(steps, head_dim), FUSED)


@pytest.mark.parametrize("steps", (63, 130))
def test_mask(steps):
    mask = np.random.default_rng(1).random((2, steps)) < 0.7
    check(arguments(steps, 16), FUSED, mask)


def test_masked_start():
    """Rows before the first real step read an empty memory."""
    mask = np.arange(130) >= np.array([[129], [20]])
    check(arguments(130, 16), FUSED, mask)


@pytest.mark.parametrize("steps", (1, 130))
def test_extreme_gates(steps):
    check(arguments(steps, 16, scale=30.0), GOLDEN_EXTREME)


@pytest.mark.parametrize(("input_gate", "follows_l"), ((-8.0, 0.0), (8.0, 1.0)))
def test_both_sides_of_the_normalizer(input_gate, follows_l):
    xs = arguments(130, 16, input_gate=input_gate)
    # Positive scores keep l away from 0, where gradients are as large as rounding makes them.
    xs[:2] = np.abs(xs[0]), np.abs(xs[1])
    _, l, m = op.forward(*xs[:3], *log_gates(*xs[3:]), interpret=True)  # noqa: E741
    share = np.mean(np.abs(l) >= np.exp(-m))
    assert abs(share - follows_l) < 0.05
    check(xs, FUSED)


def test_nothing_is_read_before_it_is_written():
    """With the interpreter that fills memory with NaN; more tiles than one."""
    check(arguments(130, 8), FUSED, interpret=pltpu.InterpretParams(uninitialized_memory="nan"))


@pytest.mark.parametrize("head_dim", HEAD_DIMS)
def test_bfloat16(head_dim):
    *sequences, input_gate, forget_gate = arguments(130, head_dim)
    sequences = [jnp.asarray(x, "bfloat16") for x in sequences]
    rounded = [np.asarray(x, "float32") for x in sequences]
    expected = oracle.mlstm(*rounded, input_gate, forget_gate, "exp", "sigmoid")
    h = pallas()(*sequences, input_gate, forget_gate)
    assert relative_error(h, expected) <= LOW_PRECISION["bfloat16"]

    weight = np.random.default_rng(2).normal(size=h.shape).astype("float32")
    _, gradients = value_and_gradients(pallas(), (*sequences, input_gate, forget_gate), weight)
    _, references = value_and_gradients(reference(), (*rounded, input_gate, forget_gate), weight)
    for gradient, reference_gradient in zip(gradients, references, strict=True):
        assert relative_error(gradient, reference_gradient) <= LOW_PRECISION["bfloat16"]


@pytest.mark.parametrize(
    ("steps", "head_dim", "dtype", "chunk_size", "reverse", "taken"),
    (
        (501, 576, "float32", None, False, True),
        (1024, 576, "bfloat16", None, False, True),
        (4096, 576, "bfloat16", None, False, False),
        (501, 144, "float32", 128, False, False),
        (501, 144, "float32", None, True, False),
    ),
)
def test_takes(steps, head_dim, dtype, chunk_size, reverse, taken):
    query = jax.ShapeDtypeStruct((1, steps, 4, head_dim), dtype)
    assert op.takes(mlstm_call(query, chunk_size, reverse)) == taken
