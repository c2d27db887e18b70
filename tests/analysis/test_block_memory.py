"""Gates and effective memory of a block, against the sum over all pairs of steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_axlstm import AxLSTMEncoder, SSASTEncoder
from keras_axlstm.analysis import block_memory
from keras_axlstm.analysis.block_memory import mean_age
from tests.support.tolerances import BACKENDS_AGREE, relative_error


def assert_close(actual, expected) -> None:
    assert relative_error(actual, expected) < BACKENDS_AGREE


def age_by_pairs(log_i: np.ndarray, log_f: np.ndarray) -> np.ndarray:
    """The definition, in float64 and without a recurrence; (time, heads)."""
    steps = len(log_i)
    decay = np.cumsum(log_f, axis=0)
    ages = np.zeros(log_i.shape)
    for t in range(steps):
        log_w = log_i[: t + 1] + decay[t] - decay[: t + 1]
        w = np.exp(log_w - log_w.max(axis=0))
        ages[t] = (w * (t - np.arange(t + 1))[:, None]).sum(axis=0) / w.sum(axis=0)
    return ages


@given(st.integers(1, 30), st.floats(0.1, 20), st.integers(0, 2**32 - 1))
def test_mean_age_is_the_weighted_mean_over_all_pairs(steps, spread, seed):
    rng = np.random.default_rng(seed)
    log_i = rng.normal(size=(steps, 3)) * spread
    log_f = -np.abs(rng.normal(size=(steps, 3))) * spread
    np.testing.assert_allclose(
        mean_age(log_i, log_f), age_by_pairs(log_i, log_f), rtol=1e-9, atol=1e-9
    )


def test_constant_gates_reach_back_as_far_as_a_geometric_series():
    forget = 0.9
    age = mean_age(np.zeros((400, 1)), np.full((400, 1), np.log(forget)))
    np.testing.assert_allclose(age[-1], forget / (1 - forget), rtol=1e-9)


@pytest.fixture(scope="module")
def spectrogram():
    return np.random.default_rng(0).normal(size=(16, 16)).astype("float32")


def small_encoder(**kwargs):
    sizes = {"spectrogram_shape": (16, 16), "patch_size": (4, 8), "hidden_dim": 16}
    return AxLSTMEncoder(**sizes, num_layers=3, num_heads=2, **kwargs)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("gates", [("exp", "sigmoid"), ("sigmoid", "exp")])
@pytest.mark.parametrize("block", [0, 1, 2])
def test_gates_are_those_of_the_formula(spectrogram, flip, gates, block):
    """From q, k and v, not folded; by NumPy."""
    encoder = small_encoder(flip=flip, input_gate=gates[0], forget_gate=gates[1])
    layer = encoder.blocks[block]
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    name = "embedding" if block == 0 else f"block_{block - 1}"
    tokens = ops.convert_to_numpy(encoder.tap_model([name])(spectrogram[None])[name])
    input_gate, forget_gate = (ops.convert_to_numpy(x)[0] for x in layer.gates(tokens))

    x = tokens[0].astype("float64")[:: -1 if layer.reverse else 1]
    value_of = lambda variable: ops.convert_to_numpy(variable).astype("float64")  # noqa: E731
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    x = x * (1 + value_of(layer.norm.scale).reshape(-1))
    u = np.split(x @ value_of(layer.up_projection.kernel), 2, axis=1)[0]
    taps = value_of(layer.convolution.kernel)
    padded = np.pad(u, ((3, 0), (0, 0)))
    c = sum(padded[k : k + len(u)] * taps[k] for k in range(4))
    c = c + value_of(layer.convolution.bias)
    c = c / (1 + np.exp(-c))

    def headwise(inputs, projection):
        kernel = value_of(projection.kernel)
        groups = inputs.reshape(len(inputs), -1, 1, kernel.shape[1])
        return (groups @ kernel[None]).reshape(inputs.shape)

    mlstm = layer.mlstm
    sources = ((c, "query"), (c, "key"), (u, "value"))
    qkv = np.concatenate(
        [headwise(s, getattr(mlstm, f"{name}_projection")) for s, name in sources], axis=1
    )
    for received, gate in ((input_gate, "input_gate"), (forget_gate, "forget_gate")):
        kernel, bias = (value_of(getattr(mlstm, f"{gate}_{part}")) for part in ("kernel", "bias"))
        assert_close(received, qkv @ kernel + bias)

    memory = block_memory(encoder, spectrogram, block)
    log_i, log_f = (
        -np.logaddexp(0, -gate.astype("float64")) if kind == "sigmoid" else gate
        for gate, kind in zip((input_gate, forget_gate), gates, strict=True)
    )
    by_token = age_by_pairs(log_i, log_f)[:: -1 if layer.reverse else 1]
    assert_close(memory.memory_steps, by_token[1:].reshape(4, 2, 2).mean(axis=1).T / 2)
    gate = np.exp(log_f)[:: -1 if layer.reverse else 1]
    assert_close(memory.forget_gate, gate[1:].reshape(4, 2, 2).mean(axis=1).T)


def test_without_a_class_token(spectrogram):
    memory = block_memory(small_encoder(use_class_token=False), spectrogram)
    assert memory.forget_gate.shape == memory.memory_steps.shape == (2, 4)


def test_bad_arguments_are_named(spectrogram):
    encoder = small_encoder()
    with pytest.raises(ValueError, match="`block` must be from 0 to 2. Received: 3"):
        block_memory(encoder, spectrogram, block=3)
    with pytest.raises(ValueError, match=r"of one clip.*\(1, 16, 16\)"):
        block_memory(encoder, spectrogram[None])
    transformer = SSASTEncoder((16, 16), (4, 8), hidden_dim=24, num_layers=1)
    with pytest.raises(ValueError, match="must be an AxLSTMEncoder"):
        block_memory(transformer, spectrogram)
