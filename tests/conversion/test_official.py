"""State dicts and checkpoints become models, or one error that says everything."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_axlstm.conversion import (
    CheckpointError,
    from_official_state_dict,
    load_official_checkpoint,
)
from keras_axlstm.models import AxLSTMEncoder, SSASTEncoder
from tests.conversion.golden_models import CHOICES, SPECTROGRAM_SHAPE, converted, state_dict
from tests.support.golden import GOLDEN

CHECKPOINT = GOLDEN / "axlstm_flip_ef2_checkpoint-99.pth"
AXLSTM = "axlstm_flip_ef2"


def failure(weights, spectrogram_shape=SPECTROGRAM_SHAPE, **choices):
    with pytest.raises(CheckpointError) as caught:
        from_official_state_dict(weights, spectrogram_shape, **choices)
    return str(caught.value)


def assert_same_weights(weights, expected):
    for variable, other in zip(weights, expected, strict=True):
        if "seed" not in variable.path:
            np.testing.assert_array_equal(
                ops.convert_to_numpy(variable), ops.convert_to_numpy(other), variable.path
            )


@pytest.mark.parametrize(
    ("name", "encoder_class", "sizes"),
    [
        (
            "axlstm_flip_ef2",
            AxLSTMEncoder,
            {"expansion_factor": 2, "num_heads": 4, "flip": True, "patch_size": (4, 16)},
        ),
        (
            "axlstm_noflip_ef3",
            AxLSTMEncoder,
            {"expansion_factor": 3, "num_heads": 4, "flip": False, "patch_size": (4, 16)},
        ),
        (
            "axlstm_noflip_ef3_patch4x8",
            AxLSTMEncoder,
            {"expansion_factor": 3, "num_heads": 4, "flip": False, "patch_size": (4, 8)},
        ),
        ("ssast", SSASTEncoder, {"mlp_ratio": 4, "num_heads": 2, "patch_size": (4, 16)}),
    ],
)
def test_sizes_are_read_off(name, encoder_class, sizes):
    encoder = converted(name).encoder
    assert type(encoder) is encoder_class
    expected = {"hidden_dim": 32, "num_layers": 4, "spectrogram_shape": SPECTROGRAM_SHAPE} | sizes
    assert {size: getattr(encoder, size) for size in expected} == expected
    assert encoder.use_class_token


def test_a_checkpoint_equals_its_state_dict():
    model = load_official_checkpoint(CHECKPOINT, spectrogram_shape=SPECTROGRAM_SHAPE)
    assert model.encoder.flip
    assert_same_weights(model.weights, converted(AXLSTM).weights)
    assert not load_official_checkpoint(str(CHECKPOINT), [48, 32], flip=False).encoder.flip


def test_a_file_with_the_state_dict_alone(tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(array) for name, array in state_dict(AXLSTM).items()}
    torch.save(tensors, tmp_path / "weights.pth")
    model = load_official_checkpoint(tmp_path / "weights.pth", SPECTROGRAM_SHAPE)
    assert_same_weights(model.weights, converted(AXLSTM).weights)


def test_a_leading_module_is_dropped():
    weights = {f"module.{name}": array for name, array in state_dict(AXLSTM).items()}
    model = from_official_state_dict(weights, SPECTROGRAM_SHAPE)
    assert_same_weights(model.weights, converted(AXLSTM).weights)


def test_anything_like_an_array_is_taken():
    torch = pytest.importorskip("torch")
    weights = state_dict(AXLSTM)
    weights["cls_token"] = torch.from_numpy(weights["cls_token"])
    weights["mask_token"] = weights["mask_token"].tolist()
    weights["pred.0.bias"] = keras.Variable(weights["pred.0.bias"])
    weights["pred.2.bias"] = weights["pred.2.bias"].astype("float64")
    model = from_official_state_dict(weights, SPECTROGRAM_SHAPE)
    assert_same_weights(model.weights, converted(AXLSTM).weights)


def test_the_model_keeps_no_hold_of_the_arrays():
    weights = {}
    for name, array in state_dict(AXLSTM).items():
        memory = np.zeros(array.size + 16, "float32")
        start = -memory.ctypes.data // 4 % 16  # JAX takes over memory aligned to 64 bytes.
        weights[name] = memory[start : start + array.size].reshape(array.shape)
        weights[name][...] = array
    model = from_official_state_dict(weights, SPECTROGRAM_SHAPE)
    for array in weights.values():
        array[...] = 0
    assert_same_weights(model.weights, converted(AXLSTM).weights)


def test_half_precision_weights():
    weights = {name: array.astype("float16") for name, array in state_dict(AXLSTM).items()}
    model = from_official_state_dict(weights, SPECTROGRAM_SHAPE)
    token = ops.convert_to_numpy(model.masking.mask_token)
    np.testing.assert_array_equal(token, weights["mask_token"].astype("float32"))


def test_models_without_class_token():
    weights = state_dict(AXLSTM)
    del weights["cls_token"]
    weights["pos_embed"] = weights["pos_embed"][:, 1:]
    model = from_official_state_dict(weights, SPECTROGRAM_SHAPE)
    assert not model.encoder.use_class_token
    token = converted(AXLSTM).encoder.class_token.token
    with_token = [v for v in converted(AXLSTM).weights if v is not token]
    assert_same_weights(model.weights, with_token)


def test_one_error_lists_everything():
    weights = state_dict(AXLSTM)
    del weights["pred.0.weight"], weights["blocks.2.layer.learnable_skip"]
    weights["decoder.weight"] = np.zeros(3)
    weights["blocks.1.layer.proj_up.weight"] = np.zeros((64, 32))
    weights["blocks.3.layer.q_proj.weight"] = np.zeros((16, 4))
    weights["mask_token"] = np.full((1, 1, 32), np.nan)
    weights["cls_token"] = np.zeros(())
    message = failure(weights)
    assert message.splitlines() == [
        "The state dict does not fit AxLSTM with 4 blocks (read off it):",
        "  missing: pred.0.weight",
        "  missing: blocks.2.layer.learnable_skip",
        "  unexpected: decoder.weight",
        "  wrong shape: cls_token: expected (1, 1, 32), received ()",
        "  not finite: mask_token holds NaN or infinite values",
        "  wrong shape: blocks.1.layer.proj_up.weight: expected (128, 32), received (64, 32)",
        "  wrong shape: blocks.3.layer.q_proj.weight: expected (16, 4, 4), received (16, 4)",
    ]


@pytest.mark.parametrize("name", CHOICES)
def test_each_missing_weight_is_named(name):
    weights = state_dict(name)
    for missing in weights:
        rest = {key: array for key, array in weights.items() if key != missing}
        assert f"missing: {missing}" in failure(rest, **CHOICES[name])


@pytest.mark.parametrize("name", CHOICES)
def test_each_wrong_rank_is_named(name):
    weights = state_dict(name)
    for wrong in weights:
        changed = {**weights, wrong: weights[wrong][None]}
        assert f"wrong shape: {wrong}: expected" in failure(changed, **CHOICES[name])


def test_weights_without_elements():
    weights = state_dict(AXLSTM)
    for empty in ("patch_embed.proj.weight", "blocks.0.layer.mlstm_cell.igate.bias"):
        changed = {**weights, empty: weights[empty][:0]}
        assert f"wrong shape: {empty}: expected" in failure(changed)


def test_an_encoder_alone_misses_its_head():
    weights = {
        name: array
        for name, array in state_dict(AXLSTM).items()
        if not name.startswith("pred.") and name != "mask_token"
    }
    message = failure(weights)
    for name in ("mask_token", "pred.0.weight", "pred.0.bias", "pred.2.weight", "pred.2.bias"):
        assert f"missing: {name}" in message


def test_a_block_that_is_missing_or_absurd():
    weights = state_dict(AXLSTM)
    rest = {name: w for name, w in weights.items() if not name.startswith("blocks.2.")}
    assert failure(rest).count("missing: blocks.2.") == 14
    message = failure({**weights, "blocks.999999999.norm.weight": np.zeros(32)})
    assert "unexpected: blocks.999999999.norm.weight" in message


@pytest.mark.parametrize("name", CHOICES)
def test_a_shape_that_does_not_fit_the_position(name):
    for wrong in [(200, 80), (32, 48), (96, 16), (50, 32)]:
        message = failure(state_dict(name), wrong, **CHOICES[name])
        assert "was made for spectrogram_shape=(48, 32)" in message
        assert f"Received: spectrogram_shape={wrong}" in message


def test_a_position_that_was_learned():
    weights = state_dict(AXLSTM)
    weights["pos_embed"] = weights["pos_embed"] * 1.5
    assert "fixed 2-D sine-cosine position" in failure(weights)


def test_numbers_of_heads():
    message = failure(state_dict("ssast"))
    assert "hidden_dim 32: pass `num_heads`" in message
    assert "This AxLSTM has 4 heads" in failure(state_dict(AXLSTM), num_heads=3)
    assert from_official_state_dict(state_dict(AXLSTM), SPECTROGRAM_SHAPE, num_heads=4)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([], "Expected a state dict that maps names to arrays. Received: list"),
        ({1: np.zeros(2)}, "maps names to arrays"),
        ({}, "no names at all"),
        ({"fc.weight": np.zeros(2)}, "Received: fc.weight"),
        ({"model": {"cls_token": np.zeros(2)}, "epoch": 3}, "Pass the state dict alone"),
        ({"cls_token": "word"}, "Expected an array under 'cls_token', received str"),
    ],
)
def test_what_is_no_state_dict(weights, reason):
    assert reason in failure(weights)


def test_torch_tensors_that_numpy_cannot_hold():
    torch = pytest.importorskip("torch")
    weights = {"cls_token": torch.zeros(2, dtype=torch.bfloat16)}
    assert ".float().numpy()" in failure(weights)


def test_errors_of_a_file_name_it():
    with pytest.raises(CheckpointError, match=r"Cannot convert .*checkpoint-99\.pth: The `pos_emb"):
        load_official_checkpoint(CHECKPOINT)
