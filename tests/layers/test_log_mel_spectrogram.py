import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_hub.src.tests import test_case

from keras_axlstm.audio import log_mel_spectrogram
from keras_axlstm.audio.log_mel import mel_filter_bank
from keras_axlstm.layers import LogMelSpectrogram
from keras_axlstm.layers.log_mel_spectrogram import _fourier_kernels, _split_filters
from tests.audio.log_mel_cases import (
    GOLDEN_NAMES,
    assert_equals_golden,
    golden_wave,
    hard_waves,
)
from tests.support.gradients import vjp
from tests.support.tolerances import LOG_MEL

POLICIES = ["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]


def waves(batch: int = 3, samples: int = 2000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (batch, samples)).astype("float32")


def in_numpy(batch: np.ndarray) -> np.ndarray:
    return np.stack([log_mel_spectrogram(wave) for wave in batch])


def assert_close(actual, expected: np.ndarray) -> None:
    actual = keras.ops.convert_to_numpy(actual)
    assert actual.dtype == np.float32 and actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=LOG_MEL)


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_golden(name):
    output = LogMelSpectrogram()(golden_wave(name)[np.newaxis])
    assert_equals_golden(keras.ops.convert_to_numpy(output)[0], name)


@pytest.mark.parametrize("name", ["chirp", *hard_waves()])
@pytest.mark.parametrize("use_fft", [True, False])
def test_equals_the_numpy_path(name, use_fft):
    wave = hard_waves()[name] if name in hard_waves() else golden_wave(name)
    layer = LogMelSpectrogram(use_fft=use_fft)
    assert_close(layer(wave[np.newaxis]), in_numpy(wave[np.newaxis]))


# Few examples: each length is compiled anew on JAX.
@settings(max_examples=20)
@given(samples=st.integers(1, 700))
def test_any_length(samples):
    batch = waves(2, samples)
    assert_close(LogMelSpectrogram()(batch), in_numpy(batch))


def test_other_arguments():
    arguments = {
        "sampling_rate": 44100,
        "num_mel_bins": 64,
        "window_length": 1024,
        "hop_length": 441,
        "max_frequency": 20000.0,
    }
    batch = waves()
    expected = np.stack([log_mel_spectrogram(wave, **arguments) for wave in batch])
    layer = LogMelSpectrogram(**arguments)
    assert_close(layer(batch), expected)
    assert layer.compute_output_shape((3, 2000)) == (3, 5, 64)


@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_float32_under_every_policy(policy):
    batch = waves()
    inputs = keras.Input((None,))
    outputs = LogMelSpectrogram()(inputs)
    assert outputs.shape == (None, None, 80) and outputs.dtype == "float32"
    model = keras.Model(inputs, outputs)
    assert_close(LogMelSpectrogram()(batch), in_numpy(batch))
    assert_close(LogMelSpectrogram(dtype=policy)(batch), in_numpy(batch))
    assert_close(model.predict(batch, verbose=0), in_numpy(batch))


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_in_a_subclassed_model(policy):
    class Model(keras.Model):
        def __init__(self):
            super().__init__(autocast=False)
            self.log_mel = LogMelSpectrogram()

        def call(self, waveform):
            return self.log_mel(waveform)

    assert_close(Model().predict(waves(), verbose=0), in_numpy(waves()))


def test_in_fit():
    model = keras.Sequential(
        [
            keras.Input((None,)),
            LogMelSpectrogram(),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() != "torch")
    history = model.fit(waves(), np.ones((3, 1)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_leading_parts_fit_tensorfloat32():
    """The tensor cores of GPUs keep 11 binary digits of each factor."""
    bank = mel_filter_bank(16000, 80, 400, 50.0, 8000.0)
    leading = [_split_filters(bank)[: 2 * len(bank)]]
    leading += [kernel[:, : 2 * 201] for kernel in _fourier_kernels(200)]
    for part in leading:
        digits = np.frexp(part)[0] * 2**11
        np.testing.assert_array_equal(digits, np.round(digits))


def test_gradient_of_the_samples():
    """The rounding inside has no slope of its own: the gradient is that of the definition."""
    batch, seed = waves(1, 300), np.random.default_rng(1).normal(size=(1, 2, 80))

    def value(wave):
        return float(np.sum(seed[0] * log_mel_spectrogram(wave)))

    places, step = [0, 57, 299], 1e-3
    expected = []
    for place in places:
        shift = np.eye(1, 300, place)[0] * step
        rise = value(batch[0] + shift) - value(batch[0] - shift)
        expected.append(rise / (2 * step))
    _, (gradient,) = vjp(LogMelSpectrogram(), [batch], seed)
    np.testing.assert_allclose(gradient[0, places], expected, rtol=0.02)


def test_in_a_tf_data_pipeline():
    tf = pytest.importorskip("tensorflow")
    layer, batch = LogMelSpectrogram(), waves()
    clips = [batch[:, :700], batch[:, :100], batch]
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(clips), output_signature=tf.TensorSpec((None, None), tf.float32)
    )
    for clip, output in zip(clips, dataset.map(layer), strict=True):
        assert_close(output.numpy(), in_numpy(clip))


def test_in_a_grain_pipeline():
    import grain

    (output,) = grain.MapDataset.source([waves()]).map(LogMelSpectrogram())
    assert_close(output, in_numpy(waves()))


class KerasHubTest(test_case.TestCase):
    def test_layer_basics(self):
        self.run_layer_test(
            LogMelSpectrogram,
            init_kwargs={"num_mel_bins": 40},
            input_data=waves(2, 1000),
            expected_output_shape=(2, 7, 40),
            # There is nothing to train, and half-precision policies give float32.
            run_training_check=False,
            run_precision_checks=False,
        )


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros(1000, "float32"), r"shape \(1000,\)"),
        (np.zeros((2, 1000, 2), "float32"), r"shape \(2, 1000, 2\)"),
        (np.zeros((2, 0), "float32"), r"shape \(2, 0\)"),
        (np.zeros((2, 1000), "int16"), "dtype int16"),
        ([[0, 1, 2]], "dtype int64"),
    ],
)
def test_bad_waveforms(waveform, message):
    with pytest.raises(ValueError, match=message):
        LogMelSpectrogram()(waveform)


def test_bad_symbolic_waveform():
    with pytest.raises(ValueError, match=r"shape \(None,\)"):
        LogMelSpectrogram()(keras.Input(()))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`hop_length` must be"):
        LogMelSpectrogram(hop_length=0)
    with pytest.raises(ValueError, match="max_frequency=8000.0, sampling_rate=8000"):
        LogMelSpectrogram(sampling_rate=8000)
