"""The Triton kernels as JAX calls them, on a GPU or in Triton's interpreter: values, states, all
gradients.

Without a GPU: `TRITON_INTERPRET=1 KERAS_BACKEND=jax pytest
tests/recurrence/kernels/test_jax_triton.py`, with PyTorch for the interpreter and without
TensorFlow, which Triton does not share a process with.
"""

import importlib.util
import os

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("jax-triton belongs to the jax backend", allow_module_level=True)
if importlib.util.find_spec("jax_triton") is None:
    pytest.skip("jax-triton is not installed: its calls are NOT tested", allow_module_level=True)

import jax
import jax.numpy as jnp

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if jax.default_backend() != "gpu" and not INTERPRETED:
    reason = "no GPU and TRITON_INTERPRET=1 is not set: the kernels in JAX are NOT tested"
    pytest.skip(reason, allow_module_level=True)

from keras_axlstm import ops  # noqa: E402
from keras_axlstm.recurrence.gates import SHUT, log_sigmoid  # noqa: E402
from keras_axlstm.recurrence.kernels import jax_kernels  # noqa: E402
from keras_axlstm.recurrence.kernels.native import jax_binding  # noqa: E402
from keras_axlstm.recurrence.kernels.triton import jax_availability, jax_backend  # noqa: E402
from tests.recurrence.kernels import interpreted_jax  # noqa: E402
from tests.support.tolerances import (  # noqa: E402
    FUSED,
    LOW_PRECISION,
    SAME_FORMULA,
    relative_error,
)

NAMES = ("query", "key", "value", "log_i", "log_f", "C", "n", "m")
BATCH, HEADS = 2, 2
# The interpreter is slow.
HEAD_DIMS = (20, 144) if INTERPRETED else (20, 144, 288, 576)


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    """What JAX would launch on a CUDA device, run in place of the kernels for CPUs."""
    if not INTERPRETED:
        return

    def platforms(call, return_state, initial):
        return {"cpu": jax_binding._triton_kernels(call, return_state)}

    monkeypatch.setattr(jax_binding, "_platforms", platforms)
    monkeypatch.setattr(jax_backend.jax_triton, "triton_call", interpreted_jax.triton_call)


def arguments(steps, head_dim, state=False, shift=0.0):
    """query, key, value, log_i, log_f and perhaps C, n, m."""
    rng = np.random.default_rng(steps + head_dim)
    sequences = rng.normal(size=(3, BATCH, steps, HEADS, head_dim))
    gates = rng.normal(size=(2, BATCH, HEADS, steps))
    arrays = [*sequences, gates[0] + shift, np.asarray(log_sigmoid(gates[1] + 3))]
    if state:
        shape = (BATCH, HEADS, head_dim)
        arrays += [rng.normal(size=(*shape, head_dim)), rng.normal(size=shape)]
        arrays += [rng.normal(size=shape[:2])]
    return [jnp.asarray(x, "float32") for x in arrays]


def fused(chunk_size=None, reverse=False, return_state=False):
    def otherwise(inputs, initial):
        h, *last = reference(chunk_size, reverse, return_state)(*inputs, *(initial or ()))
        return h, tuple(last) or None

    def run(*xs):
        options = (chunk_size, return_state, otherwise, reverse)
        h, last = jax_kernels.mlstm(*xs[:5], tuple(xs[5:]) or None, *options)
        return (h, *(last or ()))

    return run


def reference(chunk_size=None, reverse=False, return_state=False):
    """`keras.ops` on the same log gates, which exponential gates are."""

    def run(*xs):
        query, key, value = (flip(x, 1, reverse) for x in xs[:3])
        log_i, log_f = (jnp.swapaxes(flip(x, 2, reverse), 1, 2) for x in xs[3:5])
        result = ops.mlstm(
            query,
            key,
            value,
            log_i,
            log_f,
            forget_gate_activation="exp",
            initial_state=tuple(xs[5:]) or None,
            return_state=True,
            form="parallel" if chunk_size is None else "chunkwise",
            chunk_size=chunk_size,
            implementation="ops",
            output_dtype="float32",
        )
        h, last = result
        return (flip(h, 1, reverse), *(last if return_state else ()))

    return run


def flip(x, axis, reverse):
    return jnp.flip(x, axis) if reverse else x


def pull_back(function, xs, mask=None):
    """Outputs, and gradients of their sum weighted by fixed random numbers."""

    def loss(*xs):
        outputs = function(*xs)
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=x.shape).astype("float32") for x in outputs]
        if mask is not None:
            # What masked steps put out carries no meaning.
            weights[0] = weights[0] * mask[:, :, None, None]
        return sum(jnp.sum(x * w) for x, w in zip(outputs, weights, strict=True)), outputs

    run = jax.jit(jax.grad(loss, argnums=tuple(range(len(xs))), has_aux=True))
    gradients, outputs = run(*xs)
    return outputs, gradients


def check(xs, *options, tolerance=FUSED, expected_of=None):
    outputs, gradients = pull_back(fused(*options), xs)
    expected, references = pull_back(reference(*options), expected_of or xs)
    for name, x, y in zip(("h", "C", "n", "m"), outputs, expected, strict=False):
        assert x.dtype == "float32"
        assert relative_error(x, y) <= tolerance, name
    for name, given, x, y in zip(NAMES, xs, gradients, references, strict=False):
        assert x.dtype == given.dtype
        assert relative_error(x, y) <= tolerance, f"gradient of {name}"


@pytest.mark.skipif(INTERPRETED, reason="the interpreter needs nothing of JAX for CUDA")
def test_available():
    assert jax_availability.unavailable() == []


@pytest.mark.parametrize(
    ("steps", "reverse"),
    ((1, False), (63, True), (64, False), (64, True), (251, False), (501, True)),
)
def test_one_chunk(steps, reverse):
    # On one side of the normaliser the gradients of a single step are all cancellation.
    check(arguments(steps, 16, shift=-5.0 if steps == 1 else 0.0), None, reverse)


@pytest.mark.parametrize("reverse", (False, True))
@pytest.mark.parametrize("state", (False, True))
@pytest.mark.parametrize("chunk_size", (None, 64))
@pytest.mark.parametrize("steps", (1, 64, 130))
def test_states(steps, chunk_size, state, reverse):
    """One chunk or several, from the empty memory or another one, the last state put out."""
    check(arguments(steps, 8, state, shift=-5.0), chunk_size, reverse, True)


@pytest.mark.parametrize(("steps", "reverse"), ((251, True), (501, False)))
def test_chunks(steps, reverse):
    check(arguments(steps, 8), 128, reverse)


@pytest.mark.parametrize("chunk_size", (None, 64))
@pytest.mark.parametrize("head_dim", HEAD_DIMS)
def test_head_dims(head_dim, chunk_size):
    check(arguments(70, head_dim, chunk_size is not None), chunk_size)


@pytest.mark.parametrize(("chunk_size", "state"), ((None, False), (64, True)))
def test_bfloat16(chunk_size, state):
    xs = arguments(130, 16, state)
    xs = [x.astype("bfloat16") for x in xs[:3]] + xs[3:]
    rounded = [x.astype("float32") for x in xs]
    tolerance = LOW_PRECISION["bfloat16"]
    check(xs, chunk_size, False, state, tolerance=tolerance, expected_of=rounded)


@pytest.mark.parametrize("chunk_size", (None, 64))
def test_mask(chunk_size):
    mask = np.random.default_rng(1).random((BATCH, 130)) < 0.7
    xs = arguments(130, 8)
    xs[3] = jnp.where(mask[:, None], xs[3], SHUT)
    xs[4] = jnp.where(mask[:, None], xs[4], 0.0)
    outputs, gradients = pull_back(fused(chunk_size), xs, mask)
    expected, references = pull_back(reference(chunk_size), xs, mask)
    assert relative_error(outputs[0][mask], expected[0][mask]) <= FUSED
    for name, x, y in zip(NAMES, gradients, references, strict=False):
        assert relative_error(x, y) <= FUSED, name


def test_sums_are_float64():
    """Decays that add up to thousands, as close to the reference as small ones."""
    xs = arguments(251, 8)
    xs[4] = xs[4] - 40.0 * (np.arange(251) % 2)
    check(xs)


def test_vmap():
    xs = arguments(70, 8, True)
    options = (64, True, True)
    outputs, gradients = pull_back(fused(*options), xs)

    def one_by_one(*xs):
        run = jax.vmap(lambda *xs: fused(*options)(*(x[None] for x in xs)))
        return [x[:, 0] for x in run(*xs)]

    mapped, mapped_gradients = pull_back(one_by_one, xs)
    for x, y in zip((*mapped, *mapped_gradients), (*outputs, *gradients), strict=True):
        assert relative_error(x, y) <= SAME_FORMULA
