"""keras-hub's layer harness on every layer, and values against plain NumPy."""

import keras
import numpy as np
import pytest
from keras_hub.src.tests.test_case import TestCase

from keras_axlstm import layers
from tests.support.compiled import compiled
from tests.support.tolerances import SAME_FORMULA, relative_error


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomize(layer, seed=0):
    """Give every weight random values, so that no term hides behind zeros or ones."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape).astype("float32"))


def tensor(*shape, seed=0):
    return keras.ops.convert_to_tensor(normal(*shape, seed=seed))


class HarnessTest(TestCase):
    def test_headwise_projection(self):
        self.run_layer_test(
            layers.HeadwiseProjection, {"block_size": 4}, tensor(2, 5, 16), (2, 5, 16), None, 1
        )

    def test_causal_convolution(self):
        self.run_layer_test(
            layers.CausalConvolution, {"kernel_size": 4}, tensor(2, 5, 16), (2, 5, 16), None, 2
        )

    def test_multi_head_norm(self):
        self.run_layer_test(
            layers.MultiHeadNorm, {"num_heads": 4}, tensor(2, 5, 16), (2, 5, 16), None, 1
        )

    def test_mlstm(self):
        self.run_layer_test(
            layers.MLSTM,
            {"num_heads": 2, "input_gate": "sigmoid", "forget_gate": "exp"},
            {"convolved": tensor(2, 5, 16), "inputs": tensor(2, 5, 16, seed=1)},
            (2, 5, 16),
            expected_num_trainable_weights=8,
        )

    def test_axlstm_block(self):
        self.run_layer_test(
            layers.AxLSTMBlock,
            {"num_heads": 2, "expansion_factor": 2, "reverse": True},
            tensor(2, 5, 16),
            (2, 5, 16),
            expected_num_trainable_weights=14,
        )

    def test_self_attention(self):
        self.run_layer_test(
            layers.SelfAttention, {"num_heads": 2}, tensor(2, 5, 16), (2, 5, 16), None, 8
        )

    def test_transformer_block(self):
        self.run_layer_test(
            layers.TransformerBlock, {"num_heads": 2}, tensor(2, 5, 16), (2, 5, 16), None, 16
        )

    def test_patch_embedding(self):
        self.run_layer_test(
            layers.PatchEmbedding,
            {"patch_size": [4, 8], "hidden_dim": 16},
            tensor(2, 10, 16),
            (2, 6, 16),
            None,
            2,
        )

    def test_sine_cosine_position(self):
        self.run_layer_test(
            layers.SineCosinePosition,
            {"bands": 5},
            tensor(2, 10, 16),
            (2, 10, 16),
            run_training_check=False,  # nothing to train
        )

    def test_class_token(self):
        self.run_layer_test(layers.ClassToken, {}, tensor(2, 10, 16), (2, 11, 16), None, 1)

    def test_patch_masking(self):
        self.run_layer_test(
            layers.PatchMasking,
            {"bands": 5, "mask_mode": "timestep", "position_on_masked": True, "seed": 1},
            {"patches": tensor(2, 10, 16), "position": tensor(10, 16)},
            ((2, 10, 16), (2, 10)),
            expected_num_trainable_weights=1,
            expected_num_non_trainable_variables=1,
            run_training_check=False,  # two outputs; fit is tested with the whole model
            run_precision_checks=False,  # `hidden` stays float32 under every policy
        )

    def test_reconstruction_head(self):
        self.run_layer_test(
            layers.ReconstructionHead, {"patch_dim": 12}, tensor(2, 10, 16), (2, 10, 12), None, 4
        )


def test_headwise_projection_is_block_diagonal():
    layer = layers.HeadwiseProjection(4)
    x = normal(2, 5, 16)
    layer(x)
    randomize(layer)
    kernel = np.zeros((16, 16))
    for group, block in enumerate(keras.ops.convert_to_numpy(layer.kernel)):
        kernel[4 * group : 4 * group + 4, 4 * group : 4 * group + 4] = block
    assert relative_error(keras.ops.convert_to_numpy(layer(x)), x @ kernel) <= SAME_FORMULA


@pytest.mark.parametrize("time", (1, 3, 9))
def test_causal_convolution_values(time):
    layer = layers.CausalConvolution(4)
    x = normal(2, time, 6)
    layer(x)
    randomize(layer)
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in layer.weights)
    expected = np.tile(bias, (2, time, 1)).astype("float64")
    for t in range(time):
        for tap in range(4):
            if t - 3 + tap >= 0:
                expected[:, t] += x[:, t - 3 + tap] * kernel[tap]
    assert relative_error(keras.ops.convert_to_numpy(layer(x)), expected) <= SAME_FORMULA


def test_multi_head_norm_values_for_tiny_inputs():
    """float16 policy, values far below float16's range: the norm still sees them."""
    layer = layers.MultiHeadNorm(4, epsilon=1e-16, dtype="mixed_float16")
    x = normal(2, 5, 16) * np.float32(1e-6)
    layer(x)
    randomize(layer)
    heads = x.reshape(2, 5, 4, 4).astype("float64")
    heads = heads - heads.mean(-1, keepdims=True)
    heads = heads / np.sqrt(heads.var(-1, keepdims=True) + 1e-16)
    expected = heads.reshape(2, 5, 16) * (1 + keras.ops.convert_to_numpy(layer.scale))
    actual = keras.ops.convert_to_numpy(keras.ops.cast(layer(x), "float32"))
    assert relative_error(actual, expected) <= 2e-3  # output rounded to float16


def test_folding_equals_the_formula():
    """The layer folds its projections; here they are applied as they are written."""
    layer = layers.MLSTM(num_heads=2)
    c, u = normal(2, 30, 16), normal(2, 30, 16, seed=1)
    layer(c, u)
    randomize(layer)
    query, key = layer.query_projection(c), layer.key_projection(c)
    value = layer.value_projection(u)
    qkv = keras.ops.concatenate([query, key, value], axis=-1)
    gates = [
        keras.ops.matmul(qkv, kernel) + bias
        for kernel, bias in (
            (layer.input_gate_kernel, layer.input_gate_bias),
            (layer.forget_gate_kernel, layer.forget_gate_bias),
        )
    ]
    from keras_axlstm.ops import mlstm

    heads = [keras.ops.reshape(x, (2, 30, 2, 8)) for x in (query, key, value)]
    h = compiled(lambda *xs: mlstm(*xs, form="recurrent"))(*heads, *gates)
    expected = layer.norm(keras.ops.reshape(h, (2, 30, 16)))
    actual = keras.ops.convert_to_numpy(layer(c, u))
    assert relative_error(actual, keras.ops.convert_to_numpy(expected)) <= SAME_FORMULA


def test_position_against_numpy():
    layer = layers.SineCosinePosition(bands=5)
    position = keras.ops.convert_to_numpy(layer.position(np.zeros((1, 15, 16), "float32")))
    rates = 10000.0 ** (-np.arange(4) / 4)
    for index in range(15):
        step, band = divmod(index, 5)
        expected = [np.sin(band * rates), np.cos(band * rates)]
        expected += [np.sin(step * rates), np.cos(step * rates)]
        np.testing.assert_allclose(position[index], np.concatenate(expected), atol=1e-6)


@pytest.mark.parametrize("reverse", (False, True))
def test_block_with_padding_equals_block_without(reverse):
    block = layers.AxLSTMBlock(num_heads=2, expansion_factor=2, reverse=reverse)
    x = normal(1, 12, 16)
    block(x)
    randomize(block)
    padded = np.concatenate([x, normal(1, 7, 16, seed=1) * 100], axis=1)
    mask = np.arange(19)[None] < 12
    actual = keras.ops.convert_to_numpy(block(padded, mask=mask))[:, :12]
    assert relative_error(actual, keras.ops.convert_to_numpy(block(x))) <= SAME_FORMULA


def test_transformer_block_with_padding_equals_block_without():
    block = layers.TransformerBlock(num_heads=2)
    x = normal(1, 12, 16)
    block(x)
    randomize(block)
    padded = np.concatenate([x, normal(1, 7, 16, seed=1) * 100], axis=1)
    actual = keras.ops.convert_to_numpy(block(padded, mask=np.arange(19)[None] < 12))[:, :12]
    assert relative_error(actual, keras.ops.convert_to_numpy(block(x))) <= SAME_FORMULA


def test_patch_embedding_mask_keeps_partly_real_patches():
    layer = layers.PatchEmbedding((4, 8), 16)
    spectrogram = normal(2, 10, 16)
    layer(spectrogram)
    mask = np.arange(10)[None] < np.array([[10], [5]])
    tokens = keras.ops.convert_to_numpy(layer.compute_mask(spectrogram, mask))
    np.testing.assert_array_equal(tokens, [[True] * 6, [True] * 4 + [False] * 2])
    # Masked frames count as zeros.
    shortened = np.where(mask[..., None], spectrogram, 0)
    actual = keras.ops.convert_to_numpy(layer(spectrogram, mask=mask))
    expected = keras.ops.convert_to_numpy(layer(shortened))
    assert relative_error(actual, expected) <= SAME_FORMULA


@pytest.mark.parametrize(
    ("ratio", "mode", "hidden_count"),
    (
        (0.5, "unstructured", 25),
        (0.55, "unstructured", 28),
        (0.5, "timestep", 25),
        (0, "timestep", 0),
    ),
)
def test_mask_hides_exactly_so_many(ratio, mode, hidden_count):
    layer = layers.PatchMasking(5, ratio, mode, seed=3)
    patches, position = normal(6, 50, 16), normal(50, 16)
    tokens, hidden = (keras.ops.convert_to_numpy(x) for x in layer(patches, position))
    np.testing.assert_array_equal(hidden.sum(axis=1), np.full(6, hidden_count))
    if hidden_count:
        assert len({tuple(row) for row in hidden}) > 1  # each example draws its own
    if mode == "timestep":
        steps = hidden.reshape(6, 10, 5)
        np.testing.assert_array_equal(steps.min(-1), steps.max(-1))
    np.testing.assert_allclose(
        tokens[hidden == 0], (patches + position)[hidden == 0], rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("position_on_masked", (False, True))
def test_masked_token_with_and_without_position(position_on_masked):
    layer = layers.PatchMasking(5, position_on_masked=position_on_masked)
    patches, position = normal(2, 10, 16), normal(10, 16)
    hidden = np.arange(10)[None] % 2 * np.ones((2, 1))
    tokens, _ = layer(patches, position, hidden)
    token = keras.ops.convert_to_numpy(layer.mask_token)[0]
    expected = np.broadcast_to(token + position * position_on_masked, (2, 10, 16))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(tokens)[hidden == 1], expected[hidden == 1], atol=1e-6
    )


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    (
        (lambda: layers.HeadwiseProjection(4), (1, 2, 6), "must divide the number of channels"),
        (lambda: layers.MultiHeadNorm(4), (1, 2, 6), "must divide the number of channels"),
        (lambda: layers.SelfAttention(4), (1, 2, 6), "must divide the number of channels"),
        (lambda: layers.PatchEmbedding((4, 5), 8), (1, 8, 16), "must divide the number of bands"),
        (lambda: layers.SineCosinePosition(5), (1, 5, 6), "multiple of 4"),
    ),
)
def test_shapes_that_do_not_fit(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make()(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    ("make", "message"),
    (
        (lambda: layers.MLSTM(input_gate="tanh"), "`input_gate` must be one of"),
        (lambda: layers.MLSTM(forget_gate="tanh"), "`forget_gate` must be one of"),
        (lambda: layers.CausalConvolution(0), "at least 1. Received: 0"),
        (lambda: layers.AxLSTMBlock(expansion_factor=0), "at least 1. Received: 0"),
        (lambda: layers.PatchMasking(5, 1.0), r"in \[0, 1\). Received: 1.0"),
        (lambda: layers.PatchMasking(5, mask_mode="band"), "`mask_mode` must be one of"),
    ),
)
def test_arguments_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
