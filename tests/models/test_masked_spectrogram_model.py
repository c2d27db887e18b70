"""Pretraining: losses, masks, fit, presets."""

import keras
import numpy as np
import pytest

import keras_axlstm
from keras_axlstm import ops
from tests.models.test_encoders import make, numpy, spectrograms
from tests.support.tolerances import SAME_FORMULA, relative_error


def test_patchify_is_time_major():
    x = np.arange(2 * 8 * 6).reshape(2, 8, 6)
    patches = numpy(ops.patchify(x, (4, 3)))
    assert patches.shape == (2, 4, 12)
    np.testing.assert_array_equal(patches[1, 0], x[1, :4, :3].ravel())
    np.testing.assert_array_equal(patches[1, 1], x[1, :4, 3:].ravel())
    np.testing.assert_array_equal(patches[1, 2], x[1, 4:, :3].ravel())


def test_patchify_refuses_what_does_not_divide():
    with pytest.raises(ValueError, match="time size .* multiple of 3.*Received: 8"):
        ops.patchify(np.zeros((1, 8, 6), "float32"), (3, 3))
    with pytest.raises(ValueError, match="frequency size .* multiple of 4.*Received: 6"):
        ops.patchify(np.zeros((1, 8, 6), "float32"), (4, 4))
    with pytest.raises(ValueError, match="batch, time, frequency"):
        ops.patchify(np.zeros((8, 6), "float32"), (4, 3))


@pytest.mark.parametrize("loss_on", ("masked", "all"))
def test_loss_counts_the_patches_it_should(loss_on):
    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm"), loss_on=loss_on)
    x = spectrograms()
    outputs = model(x)
    model.reconstruction_mse.reset_state()
    loss = float(numpy(model.compute_loss(x=x, y_pred=outputs)))
    target = numpy(ops.patchify(x, (4, 4)))
    errors = np.square(numpy(outputs["prediction"]) - target).mean(-1)
    masked = errors[numpy(outputs["hidden"]) == 1].mean()
    assert loss == pytest.approx(masked if loss_on == "masked" else errors.mean(), rel=1e-5)
    assert float(numpy(model.reconstruction_mse.result())) == pytest.approx(masked, rel=1e-5)


def test_hidden_patches_cannot_be_seen():
    """The prediction does not change with what lies under the mask."""
    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm_flip"))
    x = spectrograms()
    mask = np.zeros((2, 8), "float32")
    mask[:, [1, 4]] = 1
    other = x.copy()
    other[:, :4, 4:] += 5  # patch 1
    other[:, 8:12, :4] -= 3  # patch 4
    first, second = (numpy(model.reconstruct(s, mask)) for s in (x, other))
    assert relative_error(second, first) <= SAME_FORMULA
    assert relative_error(numpy(model.reconstruct(other, 0 * mask)), first) > 1e-3


@pytest.mark.parametrize(
    ("encoder", "position_on_masked", "same"),
    [("ssast", False, True), ("ssast", True, False), ("axlstm", False, False)],
)
def test_what_tells_hidden_patches_apart(encoder, position_on_masked, same):
    """Attention knows no order, so without position it fills them all in alike."""
    model = keras_axlstm.MaskedSpectrogramModel(
        make(encoder), position_on_masked=position_on_masked
    )
    mask = np.zeros((2, 8), "float32")
    mask[:, [1, 4, 6]] = 1
    prediction = numpy(model.reconstruct(spectrograms(), mask))
    first, others = prediction[:, [1, 1]], prediction[:, [4, 6]]
    assert (relative_error(others, first) <= SAME_FORMULA) == same


def test_fit_lowers_the_loss_and_draws_new_masks():
    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm"), seed=1)
    model.compile(keras.optimizers.Adam(3e-3))
    x = np.repeat(spectrograms(1), 8, axis=0)
    history = model.fit(x, epochs=40, batch_size=8, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert history["reconstruction_mse"][-1] == pytest.approx(history["loss"][-1], rel=1e-5)
    first, second = (model.predict(x, verbose=0)["hidden"] for _ in range(2))
    assert not np.array_equal(first, second)
    assert set(model.evaluate(x, return_dict=True, verbose=0)) == {"loss", "reconstruction_mse"}


def test_fit_from_a_grain_dataset():
    import grain

    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm"))
    model.compile(keras.optimizers.Adam(1e-3))
    dataset = grain.MapDataset.source(list(spectrograms(8))).repeat().batch(4)
    history = model.fit(dataset, steps_per_epoch=2, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"][0])


def test_preset_keeps_encoder_head_and_mask_token(tmp_path):
    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm"), loss_on="all", mask_ratio=0.75)
    model.save_to_preset(tmp_path / "preset")
    revived = keras_axlstm.MaskedSpectrogramModel.from_preset(tmp_path / "preset", mask_ratio=0.5)
    assert (revived.loss_on, revived.mask_ratio) == ("all", 0.5)
    x, mask = spectrograms(), np.arange(8)[None] % 2 * np.ones((2, 1), "float32")
    expected = numpy(model.reconstruct(x, mask))
    assert relative_error(numpy(revived.reconstruct(x, mask)), expected) <= SAME_FORMULA


def test_preset_of_an_encoder_alone_is_refused(tmp_path):
    make("axlstm").save_to_preset(str(tmp_path))
    with pytest.raises(ValueError, match="Missing: .*masked_spectrogram_model"):
        keras_axlstm.MaskedSpectrogramModel.from_preset(tmp_path)


def test_keras_saving(tmp_path):
    model = keras_axlstm.MaskedSpectrogramModel(make("axlstm"), seed=3)
    model.save(tmp_path / "model.keras")
    revived = keras.models.load_model(tmp_path / "model.keras")
    x, mask = spectrograms(), np.ones((2, 8), "float32")
    expected = numpy(model.reconstruct(x, mask))
    assert relative_error(numpy(revived.reconstruct(x, mask)), expected) <= SAME_FORMULA


def test_bad_arguments():
    with pytest.raises(ValueError, match="`encoder` must be .* Received: Dense"):
        keras_axlstm.MaskedSpectrogramModel(keras.layers.Dense(3))
    with pytest.raises(ValueError, match="`loss_on` must be one of .* Received: 'visible'"):
        keras_axlstm.MaskedSpectrogramModel(make("axlstm"), loss_on="visible")
    with pytest.raises(ValueError, match="time size .* multiple of 4"):
        keras_axlstm.MaskedSpectrogramModel(make("axlstm"))(spectrograms(time=18))
