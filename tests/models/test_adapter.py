"""Adapters: small files that give a classifier back on its encoder, and on no other."""

import os

import keras
import numpy as np
import pytest

from keras_axlstm.models import AudioClassifier, AxLSTMEncoder, SSASTEncoder

NAMES = ["rain", "wind"]
SIZES = {"spectrogram_shape": (40, 80), "hidden_dim": 16, "num_layers": 2, "num_heads": 2}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset")
    SSASTEncoder(**SIZES).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def clips():
    return list(np.random.default_rng(0).uniform(-0.5, 0.5, (4, 3000)).astype("float32"))


def trained(preset, clips, rank=None, **options):
    classifier = AudioClassifier.from_preset(preset, class_names=NAMES, **options)
    if rank is None:
        classifier.backbone.trainable = False
    else:
        classifier.backbone.enable_lora(rank)
    classifier.compile(keras.optimizers.Adam(0.05))
    classifier.fit(clips, ["rain", "wind"] * 2, epochs=2, verbose=0)
    return classifier


@pytest.mark.parametrize(("rank", "pooling"), [(3, "mean"), (None, "attention")])
def test_one_call_each(preset, clips, tmp_path, rank, pooling):
    classifier = trained(preset, clips, rank, pooling=pooling)
    expected = classifier.predict(clips, verbose=0)
    path = tmp_path / "adapter.npz"
    classifier.save_adapter(path)
    assert path.stat().st_size < os.path.getsize(preset / "model.weights.h5") / 2

    opened = AudioClassifier.from_preset(preset, adapter=path)
    assert opened.class_names == NAMES and opened.pooling == pooling
    np.testing.assert_allclose(opened.predict(clips, verbose=0), expected, atol=1e-6)

    fresh = AudioClassifier.from_preset(preset, class_names=NAMES, pooling=pooling)
    assert np.abs(fresh.predict(clips, verbose=0) - expected).max() > 1e-3
    fresh.load_adapter(path)
    np.testing.assert_allclose(fresh.predict(clips, verbose=0), expected, atol=1e-6)
    if rank is not None:
        assert 0 < len(fresh.backbone.trainable_variables) < len(fresh.backbone.weights)
        fresh.fit(clips, NAMES * 2, verbose=0)
        fresh.load_adapter(path)
        np.testing.assert_allclose(fresh.predict(clips, verbose=0), expected, atol=1e-6)


def test_an_existing_file_is_kept(preset, clips, tmp_path):
    classifier = trained(preset, clips)
    path = tmp_path / "adapter.npz"
    path.write_text("old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        classifier.save_adapter(path)
    assert path.read_text() == "old"
    classifier.save_adapter(path, overwrite=True)
    classifier.load_adapter(path)


@pytest.fixture(scope="module")
def adapter(preset, clips, tmp_path_factory):
    path = tmp_path_factory.mktemp("adapter") / "adapter.npz"
    trained(preset, clips, rank=2).save_adapter(path)
    return path


@pytest.mark.parametrize(
    ("encoder", "options", "message"),
    [
        (SSASTEncoder(**{**SIZES, "hidden_dim": 24}), {}, "hidden_dim is 16 in the file and 24"),
        (SSASTEncoder(**SIZES), {}, "the same sizes with other weights"),
        (AxLSTMEncoder(**SIZES), {}, "class is 'SSASTEncoder' in the file and 'AxLSTM"),
        (None, {"class_names": ["rain", "fog"]}, r"class_names is \['rain', 'wind'\] in the file"),
        (None, {"multi_label": True}, "activation is .*multi_label is False in the file and True"),
        (None, {"pooling": "attention"}, "pooling is 'mean' in the file"),
    ],
)
def test_others_are_refused(preset, adapter, encoder, options, message):
    options = {"class_names": NAMES, **options}
    if encoder is None:
        classifier = AudioClassifier.from_preset(preset, **options)
    else:
        classifier = AudioClassifier(encoder, **options)
    before = [keras.ops.convert_to_numpy(weight) for weight in classifier.weights]
    with pytest.raises(ValueError, match=message):
        classifier.load_adapter(adapter)
    after = [keras.ops.convert_to_numpy(weight) for weight in classifier.weights]
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_rank_is_refused(preset, adapter):
    classifier = AudioClassifier.from_preset(preset, class_names=NAMES)
    classifier.backbone.enable_lora(3)
    with pytest.raises(ValueError, match=r"updates of rank 2 .*Received: an encoder with rank 3"):
        classifier.load_adapter(adapter)


def test_a_trained_encoder_has_no_adapter(preset, tmp_path):
    classifier = AudioClassifier.from_preset(preset, class_names=NAMES)
    with pytest.raises(ValueError, match="or save the whole with `save_to_preset`"):
        classifier.save_adapter(tmp_path / "adapter.npz")
    assert not (tmp_path / "adapter.npz").exists()


def test_files_of_another_kind(preset, adapter, tmp_path):
    (tmp_path / "text.npz").write_text("text")
    (tmp_path / "cut.npz").write_bytes(adapter.read_bytes()[:1000])
    np.savez(tmp_path / "other.npz", about="[]", sample=1)
    for name in ("text.npz", "cut.npz", "other.npz"):
        with pytest.raises(ValueError, match=f"{name}, which is damaged or of another kind"):
            AudioClassifier.from_preset(preset, adapter=tmp_path / name)
    with pytest.raises(ValueError, match="Received: no file"):
        AudioClassifier.from_preset(preset, adapter=tmp_path / "no.npz")
    with pytest.raises(ValueError, match="must end in .npz"):
        AudioClassifier.from_preset(preset, adapter=tmp_path / "adapter.h5")
