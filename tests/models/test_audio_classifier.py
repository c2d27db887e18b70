"""AudioClassifier: keras-hub's harness, clips of any length, presets, labels, LoRA, learning."""

import keras
import numpy as np
import pytest
import soundfile
from keras_hub.src.tests.test_case import TestCase

import keras_axlstm
from keras_axlstm.data.clip_batches import clip_batches
from keras_axlstm.models import (
    AudioClassifier,
    AudioEmbedder,
    AxLSTMAudioClassifier,
    AxLSTMAudioClassifierPreprocessor,
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    SSASTAudioClassifier,
    SSASTAudioClassifierPreprocessor,
    SSASTAudioConverter,
    SSASTEncoder,
)
from tests.support.tolerances import BACKENDS_AGREE, LOG_MEL, SAME_FORMULA, relative_error

NAMES = ["low", "middle", "high"]


def new_encoder(name="axlstm", **kwargs):
    shape = {"spectrogram_shape": (40, 80), "patch_size": (4, 16), "hidden_dim": 16}
    shape |= {"num_layers": 1, "num_heads": 2, **kwargs}
    return SSASTEncoder(**shape) if name == "ssast" else AxLSTMEncoder(**shape)


def new_preprocessor(name="axlstm"):
    if name == "ssast":
        return SSASTAudioClassifierPreprocessor(SSASTAudioConverter())
    return AxLSTMAudioClassifierPreprocessor(AxLSTMAudioConverter())


def new_classifier(name="axlstm", encoder=None, **kwargs):
    kwargs.setdefault("class_names", NAMES)
    encoder = encoder or new_encoder(name)
    return AudioClassifier(encoder, preprocessor=new_preprocessor(name), **kwargs)


def noise(*lengths):
    rng = np.random.default_rng(0)
    return [rng.uniform(-0.5, 0.5, length).astype("float32") for length in lengths]


class HarnessTest(TestCase):
    def assertAllClose(self, x1, x2, atol=LOG_MEL, rtol=0, msg=None):
        # Spectrograms are computed in NumPy and in TensorFlow.
        super().assertAllClose(x1, x2, atol=atol, rtol=rtol, msg=msg)

    # Of keras-hub itself.
    @pytest.mark.filterwarnings("ignore:The `check_types` argument:DeprecationWarning")
    def test_axlstm_task(self):
        self.run_task(AxLSTMAudioClassifier, "axlstm")

    @pytest.mark.filterwarnings("ignore:The `check_types` argument:DeprecationWarning")
    def test_ssast_task(self):
        self.run_task(SSASTAudioClassifier, "ssast")

    def run_task(self, cls, name):
        kwargs = {"backbone": new_encoder(name), "num_classes": 3}
        self.run_task_test(
            cls=cls,
            init_kwargs={**kwargs, "preprocessor": new_preprocessor(name)},
            train_data=(np.stack(noise(3000, 3000)), np.array([0, 2])),
            expected_output_shape=(2, 3),
        )

    def test_pooling(self):
        self.run_layer_test(
            cls=keras_axlstm.layers.SequencePooling,
            init_kwargs={"pooling": "attention", "bands": 5},
            input_data=keras.random.normal((2, 11, 8)),
            expected_output_shape=(2, 40),
            expected_num_trainable_weights=1,
        )


@pytest.fixture(scope="module")
def classifier():
    # The encoder that compiles faster, where it does not matter.
    return new_classifier("ssast")


def with_weights(classifier):
    """Attention starts as the mean: give it something to attend to."""
    query = classifier.pooler.query
    query.assign(np.random.default_rng(2).normal(size=query.shape))


def test_the_class_is_that_of_the_encoder():
    assert type(new_classifier("ssast")) is SSASTAudioClassifier
    assert type(new_classifier()) is AxLSTMAudioClassifier


@pytest.mark.parametrize("pooling", ["class_token", "attention"])
def test_a_batch_of_any_lengths_scores_as_its_clips_do(pooling):
    classifier = new_classifier(encoder=new_encoder(num_layers=2, flip=True), pooling=pooling)
    if pooling == "attention":
        with_weights(classifier)
    clips = noise(1, 700, 20000)
    together = classifier.predict(clips, batch_size=3, verbose=0)
    alone = np.concatenate([classifier.predict([clip], verbose=0) for clip in clips])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    assert relative_error(together, alone) <= BACKENDS_AGREE
    assert relative_error(together[1:], together[:-1]) > 1e-3


def test_more_batches_than_keras_looks_at_before_a_longer_one():
    classifier = new_classifier()
    clips = noise(*[1600] * 9, 20000)
    scores = classifier.predict(clips, batch_size=1, verbose=0)
    assert relative_error(scores[-1:], classifier.predict(clips[-1:], verbose=0)) <= BACKENDS_AGREE


@pytest.mark.parametrize("name", ["axlstm", "ssast"])
def test_mean_pooling_is_the_embedding_of_one_pass(name):
    classifier = new_classifier(name)
    clips = noise(9000, 20000)
    embedder = AudioEmbedder(classifier.backbone, one_pass=True)
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in classifier.output_dense.weights)
    logits = embedder.embed(clips) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert relative_error(classifier.predict(clips, verbose=0), expected) <= BACKENDS_AGREE


def test_files_waveforms_and_arrays_score_alike(classifier, tmp_path):
    clips = np.stack(noise(8000, 8000, 8000))
    paths = [tmp_path / f"{i}.wav" for i in range(3)]
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, 16000, subtype="FLOAT")
    expected = classifier.predict(clips, verbose=0)
    for same in (list(clips), keras.ops.convert_to_tensor(clips), paths, list(map(str, paths))):
        np.testing.assert_array_equal(classifier.predict(same, verbose=0), expected)
    inputs = classifier.preprocessor(list(clips))
    np.testing.assert_allclose(classifier.predict(inputs, verbose=0), expected, atol=1e-6)


def test_preset_round_trip(tmp_path):
    layers = keras_axlstm.layers
    classifier = new_classifier(
        pooling="attention",
        multi_label=True,
        dropout=0.1,
        spec_augment=layers.SpecAugment(time_masks=1, seed=3),
        mixup=layers.Mixup(0.2),
    )
    clips = noise(3000, 5000)
    classifier.compile(metrics=None)
    classifier.fit(clips, [["low", "high"], []], verbose=0)
    with_weights(classifier)
    expected = classifier.predict(clips, verbose=0)
    classifier.save_to_preset(str(tmp_path))
    revived = AudioClassifier.from_preset(str(tmp_path))
    assert type(revived) is AxLSTMAudioClassifier
    assert revived.class_names == NAMES
    assert revived.spec_augment.time_masks == 1 and revived.mixup.alpha == 0.2
    np.testing.assert_allclose(revived.predict(clips, verbose=0), expected, atol=1e-6)

    other = AudioClassifier.from_preset(str(tmp_path), num_classes=2, multi_label=False)
    assert (other.num_classes, other.class_names) == (2, None)
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(c.backbone.weights[0]) for c in (other, classifier))
    )
    scene = AudioEmbedder.from_preset(tmp_path).embed(clips[0])
    assert scene.shape == (80,)


def test_preset_of_an_encoder_alone(tmp_path):
    new_encoder().save_to_preset(str(tmp_path))
    classifier = AudioClassifier.from_preset(str(tmp_path), class_names=NAMES)
    assert classifier.predict(noise(1600), verbose=0).shape == (1, 3)
    with pytest.raises(ValueError, match="needs `num_classes` or `class_names`"):
        AudioClassifier.from_preset(str(tmp_path))


def test_a_built_in_preset_without_weights_says_so():
    with pytest.raises(ValueError, match="has no pretrained weights yet"):
        AudioClassifier.from_preset("ssast_base", num_classes=3)


def sounds(count, seed):
    """Tones of three ranges in noise, 0.1 to 0.3 s long."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    clips = []
    for label in labels:
        time = np.arange(rng.integers(1600, 4800)) / 16000
        tone = np.sin(2 * np.pi * rng.uniform(300, 500) * 4.0**label * time)
        clips.append((0.3 * tone + 0.1 * rng.normal(size=time.size)).astype("float32"))
    return clips, labels


@pytest.mark.parametrize("training", ["frozen", "lora", "full"])
def test_learns_three_classes(training, tmp_path):
    classifier = new_classifier("axlstm" if training == "lora" else "ssast")
    backbone = classifier.backbone
    if training == "frozen":
        backbone.trainable = False
    elif training == "lora":
        backbone.enable_lora(rank=2)
    before = {w.path: keras.ops.convert_to_numpy(w) for w in backbone.weights}
    clips, labels = sounds(48, seed=0)
    classifier.compile(keras.optimizers.Adam(0.02))
    classifier.fit(clips, labels, epochs=12, batch_size=16, verbose=0)
    test_clips, test_labels = sounds(30, seed=1)
    scores = classifier.predict(test_clips, verbose=0)
    assert (scores.argmax(axis=1) == test_labels).mean() >= 0.9

    changed = {
        w.path.split("/")[-1]
        for w in backbone.weights
        if not np.array_equal(keras.ops.convert_to_numpy(w), before[w.path])
    }
    match training:
        case "frozen":
            assert not changed
        case "lora":
            assert changed == {"lora_kernel_a", "lora_kernel_b"}
        case "full":
            assert {"kernel", "bias", "gamma", "beta"} <= changed
    # The preset holds the sum of the kernels and their updates.
    classifier.save_to_preset(str(tmp_path))
    revived = AudioClassifier.from_preset(str(tmp_path))
    np.testing.assert_allclose(revived.predict(test_clips, verbose=0), scores, atol=1e-5)


def test_multi_label_scores_and_loss():
    classifier = new_classifier("ssast", multi_label=True)
    clips, names = noise(3000, 4000), [["low", "high"], ["middle"]]
    scores = classifier.predict(clips, verbose=0)
    expected = -np.log(np.where([[1, 0, 1], [0, 1, 0]], scores, 1 - scores)).mean()
    results = classifier.evaluate(clips, names, verbose=0, return_dict=True)
    assert results["loss"] == pytest.approx(expected, rel=1e-4)
    assert 0 <= results["mean_average_precision"] <= 1
    same = classifier.evaluate(clips, np.array([[1, 0, 1], [0, 1, 0]]), verbose=0, return_dict=True)
    assert same["loss"] == pytest.approx(results["loss"], rel=1e-6)


def test_logits_and_weights():
    classifier = new_classifier("ssast", activation=None)
    clips, weights = noise(3000, 4000), np.array([1.0, 3.0], "float32")
    logits = classifier.predict(clips, verbose=0)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = (weights * -np.log(scores[[0, 1], [2, 0]])).mean()
    loss = classifier.evaluate(
        clips, ["high", "low"], sample_weight=weights, verbose=0, return_dict=True
    )
    assert loss["loss"] == pytest.approx(expected, rel=1e-4)


def test_decode_predictions(classifier):
    best = classifier.decode_predictions(np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]), top=2)
    assert best == [[("high", 0.5), ("middle", 0.3)], [("low", 0.6), ("middle", 0.4)]]
    unnamed = new_classifier(class_names=None, num_classes=2)
    assert unnamed.decode_predictions([[0.1, 0.9]], top=1) == [[("1", 0.9)]]
    with pytest.raises(ValueError, match=r"shape \(clips, 3\)"):
        classifier.decode_predictions([[0.1, 0.9]])


def test_clips_are_shuffled_anew_in_each_pass():
    batches, number = clip_batches(
        noise(*[4] * 8),
        np.arange(8),
        batch_size=8,
        preprocess=lambda clips, labels: (clips, labels),
        passes=3,
        shuffle=True,
    )
    orders = [labels.tolist() for _, labels in batches]
    assert number == 1 and len(orders) == 3
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert len(set(map(tuple, orders))) == 3


def test_validation_data_and_split():
    classifier = new_classifier("ssast")
    clips, labels = noise(1600, 2000, 3000, 1000), ["low", "high", "low", "high"]
    history = classifier.fit(
        clips, labels, validation_data=(clips[:2], labels[:2]), epochs=2, verbose=0
    ).history
    assert len(history["val_loss"]) == 2
    expected = classifier.evaluate(clips[:2], labels[:2], verbose=0, return_dict=True)["loss"]
    assert history["val_loss"][-1] == pytest.approx(expected, rel=1e-4)
    history = classifier.fit(clips, labels, validation_split=0.25, verbose=0).history
    expected = classifier.evaluate(clips[3:], labels[3:], verbose=0, return_dict=True)["loss"]
    assert history["val_loss"][-1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("audio", "labels", "message"),
    [
        (noise(800, 900), [0, 3], "from 0 to 2. Received: 3"),
        (noise(800, 900), ["low", "dog"], r"among .*'low'.*Received: \['dog'\]"),
        (noise(800, 900), [0], "2 clips, and 1"),
        (noise(800, 900), [[0, 1], [1, 0]], "multi_label=True"),
        ([np.zeros(800), np.full(800, np.nan)], [0, 1], r"`audio\[1\]` must be finite"),
        (np.zeros(800), [0], "one waveform"),
        ("clip.wav", [0], "one path"),
        (["no.wav", "nor.wav"], [0, 1], "2 of 2 files cannot be read: .*no.wav.*nor.wav"),
        ([], [], "at least one"),
    ],
)
def test_bad_data(classifier, audio, labels, message):
    with pytest.raises(ValueError, match=message):
        classifier.fit(audio, labels, verbose=0)


def test_a_data_set_brings_its_labels_and_its_batches(classifier):
    import grain

    batches = grain.MapDataset.source([(np.stack(noise(1600, 1600)), np.array([0, 1]))] * 2)
    history = classifier.fit(batches, verbose=0).history
    assert np.isfinite(history["loss"][0])
    with pytest.raises(ValueError, match="holds batches with their labels"):
        classifier.fit(batches, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match="`validation_split` needs clips"):
        classifier.fit(batches, validation_split=0.5, verbose=0)


def test_class_weights(classifier):
    """A class of weight zero does not change the weights of the network."""
    before = keras.ops.convert_to_numpy(classifier.output_dense.kernel)
    classifier.compile(keras.optimizers.SGD(0.1))
    clips = noise(1600, 1600)
    classifier.fit(clips, ["low", "low"], class_weight={0: 0.0, 1: 1.0, 2: 1.0}, verbose=0)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(classifier.output_dense.kernel), before
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"class_names": None}, "needs `num_classes` or `class_names`"),
        ({"num_classes": 2}, "num_classes=2, 3 names"),
        ({"class_names": ["a", "a"]}, "must be different strings"),
        ({"class_names": None, "num_classes": 1}, "at least 2"),
        ({"pooling": "max"}, "`pooling` must be one of.*Received: 'max'"),
        (
            {"encoder": AxLSTMEncoder((40, 64), hidden_dim=8, num_layers=1, num_heads=1)},
            "reads 64 mel bands.*num_mel_bins=80",
        ),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        new_classifier(**kwargs)


def test_a_class_token_must_see_the_clip():
    with pytest.raises(ValueError, match="flip=True.*Received: flip=False"):
        AudioClassifier(new_encoder(), num_classes=2, pooling="class_token")
    with pytest.raises(ValueError, match="use_class_token=False"):
        AudioClassifier(
            new_encoder("ssast", use_class_token=False), num_classes=2, pooling="class_token"
        )


def test_an_encoder_is_needed():
    with pytest.raises(ValueError, match="AxLSTMEncoder or SSASTEncoder.*Received: 'axlstm_tiny'"):
        AudioClassifier("axlstm_tiny", num_classes=2)
    with pytest.raises(ValueError, match="must be an SSASTEncoder"):
        SSASTAudioClassifier(new_encoder(), num_classes=2)


def test_mixed_precision_gives_float32_scores():
    classifier = AudioClassifier(
        new_encoder(dtype="mixed_bfloat16"), num_classes=3, preprocessor=new_preprocessor()
    )
    scores = classifier.predict(noise(2000, 3000), verbose=0)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=SAME_FORMULA)
