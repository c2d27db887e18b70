import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import keras_hub
import numpy as np
import pytest
from keras_hub.src.tests import test_case

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel
from keras_axlstm.models import (
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    SSASTAudioConverter,
    SSASTEncoder,
)
from tests.support.tolerances import LOG_MEL

CONVERTERS = {AxLSTMAudioConverter: AxLSTMEncoder, SSASTAudioConverter: SSASTEncoder}
NORMALIZATIONS = [
    {"normalization": "clip", "dynamic_range": 10.0},
    {"normalization": "none", "dynamic_range": 10.0},
    {"normalization": "clip"},
    {"normalization": "dataset", "mean": -3.0, "std": 2.5},
]


def waves(clips: int = 3, samples: int = 2000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (clips, samples)).astype("float32")


def expected(batch: np.ndarray, **normalization) -> np.ndarray:
    return np.stack(
        [normalize_log_mel(log_mel_spectrogram(wave), **normalization) for wave in batch]
    )


def to_numpy(output) -> np.ndarray:
    output = keras.ops.convert_to_numpy(output)
    assert output.dtype == np.float32
    return output


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("converter", CONVERTERS)
def test_clips_and_batches(converter, normalization):
    converter, batch = converter(**normalization), waves()
    np.testing.assert_array_equal(to_numpy(converter(batch)), expected(batch, **normalization))
    np.testing.assert_array_equal(
        to_numpy(converter(batch[0])), expected(batch, **normalization)[0]
    )
    assert converter.audio_shape() == (None, 80)


def test_integer_pcm_lists_and_tensors():
    converter = AxLSTMAudioConverter()
    pcm = (waves() * 32767).astype("int16")
    np.testing.assert_array_equal(to_numpy(converter(pcm)), expected(pcm / 32768))
    clip = waves()[0]
    for same in (clip.tolist(), keras.ops.convert_to_tensor(clip)):
        np.testing.assert_array_equal(to_numpy(converter(same)), to_numpy(converter(clip)))


def test_other_arguments():
    arguments = {"num_mel_bins": 64, "window_length": 512, "hop_length": 128}
    converter = AxLSTMAudioConverter(normalization="none", **arguments)
    np.testing.assert_array_equal(
        to_numpy(converter(waves()[0])), log_mel_spectrogram(waves()[0], **arguments)
    )


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
def test_float32_under_every_policy(dtype):
    output = to_numpy(AxLSTMAudioConverter(dtype=dtype)(waves()))
    np.testing.assert_array_equal(output, expected(waves()))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_in_a_tf_data_pipeline(normalization):
    tf = pytest.importorskip("tensorflow")
    converter, batch = AxLSTMAudioConverter(**normalization), waves()
    clips = tf.data.Dataset.from_tensor_slices(batch).map(converter)
    (batches,) = tf.data.Dataset.from_tensors(batch).map(converter)
    np.testing.assert_allclose(
        np.stack([clip.numpy() for clip in clips]),
        expected(batch, **normalization),
        rtol=0,
        atol=LOG_MEL,
    )
    np.testing.assert_allclose(
        batches.numpy(), expected(batch, **normalization), rtol=0, atol=LOG_MEL
    )


def test_silence_in_a_tf_data_pipeline():
    tf = pytest.importorskip("tensorflow")
    (output,) = tf.data.Dataset.from_tensors(np.zeros(2000, "float32")).map(AxLSTMAudioConverter())
    assert np.abs(output.numpy()).max() < LOG_MEL


class KerasHubTest(test_case.TestCase):
    def assertAllClose(self, x1, x2, atol=LOG_MEL, rtol=0, msg=None):
        # Two implementations are compared, in NumPy and in TensorFlow.
        super().assertAllClose(x1, x2, atol=atol, rtol=rtol, msg=msg)

    def test_converter_basics(self):
        for converter in CONVERTERS:
            self.run_preprocessing_layer_test(converter, NORMALIZATIONS[2], waves())


@pytest.mark.parametrize("converter", CONVERTERS)
def test_presets(tmp_path, converter):
    encoder = CONVERTERS[converter](hidden_dim=8, num_layers=1, num_heads=1)
    encoder.save_to_preset(str(tmp_path))
    original = converter(num_mel_bins=80, normalization="dataset", mean=np.float32(-4), std=3)
    original.save_to_preset(str(tmp_path))

    loaded = keras_hub.layers.AudioConverter.from_preset(str(tmp_path))
    assert type(loaded) is converter
    assert loaded.get_config() == original.get_config()
    np.testing.assert_array_equal(to_numpy(loaded(waves())), to_numpy(original(waves())))
    other = converter.from_preset(str(tmp_path), normalization="none")
    np.testing.assert_array_equal(to_numpy(other(waves())), expected(waves(), normalization="none"))
    saved = json.loads((tmp_path / "audio_converter.json").read_text())
    assert saved["registered_name"] == f"keras_axlstm>{converter.__name__}"


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((16000, 2)), r"looks like `\(samples, channels\)`"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (np.zeros(0), r"shape \(0,\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.array([0.0, np.nan]), "`audio` must be finite.* first at index 1"),
        (np.array([[0.0, 0.0], [0.0, np.inf]]), r"`audio\[1\]` must be finite"),
        ([[0.0, 1.0], [0.0]], "unequal lengths"),
        (np.zeros((2, 100), "int64"), "dtype int64"),
    ],
)
def test_bad_audio(audio, message):
    with pytest.raises(ValueError, match=message):
        AxLSTMAudioConverter()(audio)


def test_bad_audio_in_a_tf_data_pipeline():
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(ValueError, match=r"looks like `\(samples, channels\)`"):
        tf.data.Dataset.from_tensors(np.zeros((16000, 2), "float32")).map(AxLSTMAudioConverter())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normalization": "batch"}, "`normalization` must be one of"),
        ({"normalization": "dataset"}, "mean=None, std=None"),
        ({"hop_length": 0}, "`hop_length` must be"),
        ({"max_frequency": 9000.0}, "max_frequency=9000.0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        AxLSTMAudioConverter(**arguments)


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="the backend is TensorFlow")
def test_needs_no_tensorflow():
    script = (
        "import sys; sys.modules['tensorflow'] = sys.modules['tensorflow_text'] = None\n"
        "import numpy as np, keras_axlstm\n"
        "from keras_axlstm.models import AxLSTMAudioConverter\n"
        "print(tuple(AxLSTMAudioConverter()(np.zeros((2, 1000), 'float32')).shape))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"KERAS_BACKEND": keras.backend.backend()},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == "(2, 7, 80)", result.stderr
