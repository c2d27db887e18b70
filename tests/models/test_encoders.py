"""The encoders: keras-hub's harness, presets, masks, lengths, taps, LoRA, precision, errors."""

import os

import keras
import keras_hub
import numpy as np
import pytest
from keras_hub.src.tests.test_case import TestCase

import keras_axlstm
from keras_axlstm.models.presets import PRESETS_FOLDER
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder
from tests.support.pretrained import PRETRAINED
from tests.support.tolerances import BACKENDS_AGREE, SAME_FORMULA, relative_error

TINY = {"spectrogram_shape": [16, 8], "patch_size": [4, 4], "hidden_dim": 16, "num_layers": 3}
AXLSTM = {**TINY, "num_heads": 2, "expansion_factor": 2}
SSAST = {**TINY, "num_heads": 2, "mlp_ratio": 2}

# Hidden size, AxLSTM with expansion 2, 3, 4, heads of SSAST, SSAST; with head and mask token.
PARAMETERS = {
    "tiny": (192, (2_917_408, 4_343_584, 5_769_760), 3, 5_401_024),
    "small": (384, (11_216_800, 16_723_360, 22_229_920), 6, 21_492_544),
    "base": (768, (43_962_016, 65_591_968, 87_221_920), 12, 85_747_264),
}


def spectrograms(batch=2, time=16, bands=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, time, bands)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def make(name, **kwargs):
    if name == "ssast":
        return keras_axlstm.SSASTEncoder(**{**SSAST, **kwargs})
    return keras_axlstm.AxLSTMEncoder(**{**AXLSTM, "flip": name == "axlstm_flip", **kwargs})


ENCODERS = ("axlstm", "axlstm_flip", "ssast")


class HarnessTest(TestCase):
    def test_axlstm_backbone(self):
        self.run_backbone_test(
            cls=keras_axlstm.AxLSTMEncoder,
            init_kwargs={**AXLSTM, "flip": True},
            input_data=keras.ops.convert_to_tensor(spectrograms()),
            expected_output_shape=(2, 9, 16),
        )

    def test_ssast_backbone(self):
        self.run_backbone_test(
            cls=keras_axlstm.SSASTEncoder,
            init_kwargs=SSAST,
            input_data=keras.ops.convert_to_tensor(spectrograms()),
            expected_output_shape=(2, 9, 16),
        )

    def test_model_saving(self):
        for cls, kwargs in (
            (keras_axlstm.AxLSTMEncoder, AXLSTM),
            (keras_axlstm.SSASTEncoder, SSAST),
        ):
            x = keras.ops.convert_to_tensor(spectrograms())
            self.run_model_saving_test(cls=cls, init_kwargs=kwargs, input_data=x)

    def test_preset_from_local_directory(self):
        for name in ENCODERS:
            encoder = make(name)
            folder = os.path.join(self.get_temp_dir(), name)
            encoder.save_to_preset(folder)
            x = keras.ops.convert_to_tensor(spectrograms())
            self.run_preset_test(
                cls=type(encoder), preset=folder, input_data=x, expected_output=encoder(x)
            )
            revived = keras_hub.models.Backbone.from_preset(folder)
            self.assertIsInstance(revived, type(encoder))


@pytest.mark.parametrize("size", PARAMETERS)
def test_parameter_counts(size):
    hidden_dim, counts, heads, ssast_count = PARAMETERS[size]

    def count(encoder):
        return keras_axlstm.MaskedSpectrogramModel(encoder).count_params()

    for expansion_factor, expected in zip((2, 3, 4), counts, strict=True):
        encoder = keras_axlstm.AxLSTMEncoder(
            hidden_dim=hidden_dim, expansion_factor=expansion_factor
        )
        assert count(encoder) == expected
    encoder = keras_axlstm.SSASTEncoder(hidden_dim=hidden_dim, num_heads=heads)
    assert count(encoder) == ssast_count


@pytest.mark.parametrize("name", sorted({*keras_axlstm.SpectrogramEncoder.presets} - {*PRETRAINED}))
def test_names_without_weights_are_refused(name):
    with pytest.raises(ValueError, match=f"Preset '{name}' has no pretrained weights yet.*convert"):
        SpectrogramEncoder.from_preset(name)


@pytest.mark.parametrize("name", sorted(keras_axlstm.SpectrogramEncoder.presets))
def test_built_in_presets_are_architectures(name):
    encoder = SpectrogramEncoder.from_preset(name, load_weights=False)
    classes = {"axlstm": keras_axlstm.AxLSTMEncoder, "ssast": keras_axlstm.SSASTEncoder}
    family, size = name.split("_")
    assert encoder.hidden_dim == PARAMETERS[size][0]
    assert encoder.num_layers == 12
    assert type(encoder) is classes[family]


def test_six_presets():
    expected = {f"{family}_{size}" for family in ("axlstm", "ssast") for size in PARAMETERS}
    known = set(keras_axlstm.SpectrogramEncoder.presets)
    # The user may have installed others.
    assert {name for name in known if (PRESETS_FOLDER / name).is_dir()} == expected


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match="axlstm_base.*Received: 'axlstm_huge'"):
        keras_axlstm.AxLSTMEncoder.from_preset("axlstm_huge")


@pytest.mark.parametrize(
    "ablation",
    (
        {"expansion_factor": 3},
        {"expansion_factor": 4},
        {"patch_size": (4, 2)},
        {"patch_size": (8, 4)},
        {"input_gate": "sigmoid"},
        {"forget_gate": "exp"},
        {"use_class_token": False},
    ),
)
def test_ablations_run_and_train_every_weight(ablation):
    encoder = make("axlstm_flip", **ablation)
    model = keras_axlstm.MaskedSpectrogramModel(encoder)
    model.compile(keras.optimizers.Adam(1e-2))
    before = [numpy(w).copy() for w in model.trainable_weights]
    model.fit(spectrograms(4), epochs=2, verbose=0)
    unchanged = [
        w.path
        for w, old in zip(model.trainable_weights, before, strict=True)
        if np.array_equal(numpy(w), old)
    ]
    assert unchanged == []


@pytest.mark.parametrize("name", ENCODERS)
def test_padded_batch_equals_clips_one_by_one(name):
    encoder = make(name)
    clips = [spectrograms(1, time, seed=time) for time in (30, 16, 9, 4)]
    longest = max(clip.shape[1] for clip in clips)
    batch = np.full((len(clips), longest, 8), 1e3, "float32")
    mask = np.zeros((len(clips), longest), bool)
    for i, clip in enumerate(clips):
        batch[i, : clip.shape[1]], mask[i, : clip.shape[1]] = clip[0], True
    padded = numpy(encoder(batch, mask=mask))
    for i, clip in enumerate(clips):
        alone = numpy(encoder(clip))[0]
        assert relative_error(padded[i, : len(alone)], alone) <= BACKENDS_AGREE


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("time", (1, 4, 18, 40))
def test_any_length(name, time):
    encoder = make(name)
    x = spectrograms(time=time)
    steps = -(-time // 4)
    assert encoder(x).shape == (2, 1 + 2 * steps, 16)
    completed = np.pad(x, ((0, 0), (0, 4 * steps - time), (0, 0)))
    assert relative_error(numpy(encoder(x)), numpy(encoder(completed))) <= SAME_FORMULA
    assert relative_error(encoder.predict(x, verbose=0), numpy(encoder(x))) <= BACKENDS_AGREE


def test_long_sequence_takes_the_linear_form_and_agrees_with_its_beginning():
    """Without flip the encoder is causal: more frames do not change earlier tokens."""
    encoder = make("axlstm")
    x = spectrograms(1, 2400)  # 1201 tokens: beyond the quadratic form
    whole = numpy(encoder(x))
    beginning = numpy(encoder(x[:, :400]))
    assert relative_error(whole[:, : beginning.shape[1]], beginning) <= BACKENDS_AGREE


@pytest.mark.parametrize("name", ENCODERS)
def test_taps(name):
    encoder = make(name)
    x = spectrograms()
    outputs = encoder.tap_model()(x)
    assert set(outputs) == {"embedding", "block_0", "block_1", "block_2", "norm"}
    sequence = numpy(encoder(x))
    assert relative_error(numpy(outputs["norm"]), sequence) <= SAME_FORMULA
    block = encoder.blocks[1](outputs["block_0"])
    assert relative_error(numpy(outputs["block_1"]), numpy(block)) <= SAME_FORMULA
    assert list(encoder.tap_model(["block_2"])(x)) == ["block_2"]
    with pytest.raises(ValueError, match=r"Received: \['block_7'\]"):
        encoder.tap_model(["block_7"])


def test_frame_features():
    encoder = make("axlstm")
    sequence = np.arange(2 * 9 * 16, dtype="float32").reshape(2, 9, 16)
    features = numpy(encoder.frame_features(sequence))
    assert features.shape == (2, 4, 32)
    np.testing.assert_array_equal(features[0, 1], np.concatenate([sequence[0, 3], sequence[0, 4]]))
    official = numpy(encoder.frame_features(sequence, order="official"))
    np.testing.assert_array_equal(official[0, 1], np.concatenate([sequence[0, 2], sequence[0, 6]]))
    with pytest.raises(ValueError, match="Received: 'frequency'"):
        encoder.frame_features(sequence, order="frequency")


@pytest.mark.parametrize("name", ENCODERS)
def test_lora_trains_only_the_projections_and_survives_saving(name, tmp_path):
    encoder = make(name)
    x = spectrograms()
    before = numpy(encoder(x))
    encoder.enable_lora(rank=2)
    assert relative_error(numpy(encoder(x)), before) <= SAME_FORMULA
    adapted = {w.path.split("/")[-2] for w in encoder.trainable_weights}
    assert adapted == set(encoder.default_lora_layer_names())
    model = keras_axlstm.MaskedSpectrogramModel(encoder)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(x, epochs=2, verbose=0)
    trained = numpy(encoder(x))
    assert relative_error(trained, before) > 1e-3
    encoder.save_lora_weights(str(tmp_path / "adapted.lora.h5"))

    fresh = make(name)
    for weight, source in zip(
        fresh.weights, [w for w in encoder.weights if "lora" not in w.path], strict=True
    ):
        weight.assign(numpy(source))
    fresh.load_lora_weights(str(tmp_path / "adapted.lora.h5"))
    assert relative_error(numpy(fresh(x)), trained) <= SAME_FORMULA


@pytest.mark.parametrize("dtype", ("mixed_bfloat16", "mixed_float16"))
@pytest.mark.parametrize("name", ENCODERS)
def test_mixed_precision_stays_close_to_float32(name, dtype):
    encoder = make(name)
    low = make(name, dtype=dtype)
    for weight, source in zip(low.weights, encoder.weights, strict=True):
        weight.assign(numpy(source))
    x = spectrograms()
    actual = low(x)
    assert keras.backend.standardize_dtype(actual.dtype) == dtype.removeprefix("mixed_")
    actual = numpy(keras.ops.cast(actual, "float32"))
    # Three blocks, each with a handful of roundings of 2^-9 or 2^-11.
    assert relative_error(actual, numpy(encoder(x))) <= {"b": 3e-2, "f": 5e-3}[dtype[6]]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    (
        ({"patch_size": (4, 3)}, "must divide `spectrogram_shape` along frequency"),
        ({"patch_size": (5, 4)}, "must divide `spectrogram_shape` along time"),
        ({"patch_size": (4,)}, "`patch_size` must be two positive integers"),
        ({"spectrogram_shape": (0, 8)}, "`spectrogram_shape` must be two positive integers"),
        ({"hidden_dim": 18}, "`hidden_dim` must be a positive multiple of 4.*Received: 18"),
        ({"num_heads": 3}, "num_heads"),
    ),
)
@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_sizes_that_do_not_fit(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(name, **kwargs)


@pytest.mark.parametrize("shape", ((2, 16, 9), (16, 8), (2, 16, 8, 1)))
@pytest.mark.parametrize("name", ("axlstm", "ssast"))
def test_spectrogram_of_wrong_shape(name, shape):
    with pytest.raises(ValueError, match=r"shape \(batch, time, 8\).*Received: shape"):
        make(name)(np.zeros(shape, "float32"))


def test_lengths_one_after_the_other_share_a_compiled_model():
    """TensorFlow then leaves the time dimension open, where only the linear form is defined."""
    encoder = make("axlstm_flip")
    model = keras_axlstm.MaskedSpectrogramModel(encoder)
    model.compile(keras.optimizers.Adam(1e-3))
    for time in (16, 24, 40):
        x = spectrograms(time=time)
        assert relative_error(encoder.predict(x, verbose=0), numpy(encoder(x))) <= BACKENDS_AGREE
        assert np.isfinite(model.fit(x, verbose=0).history["loss"][0])
