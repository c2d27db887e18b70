"""AudioStream: the frames of the embedder, however the audio is cut, and what it refuses."""

import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_axlstm.models import AudioEmbedder, SSASTEncoder
from tests.streaming.streams import cut, new_encoder, noise
from tests.support.tolerances import BACKENDS_AGREE, LOW_PRECISION, relative_error

DATASET = {"normalization": "dataset", "mean": -6.0, "std": 3.0}
EMBEDDERS = {
    "one pass": {"one_pass": True, **DATASET},
    "one pass, not normalised": {"one_pass": True, "normalization": "none"},
    "windows": DATASET,
    "windows, official order": {"normalization": "none"},
}


@pytest.fixture(scope="module")
def encoder():
    return new_encoder()


@pytest.fixture(scope="module")
def embedders(encoder):
    """Shared, so that what is compiled for a shape is compiled once."""
    return {name: AudioEmbedder(encoder, **options) for name, options in EMBEDDERS.items()}


@pytest.fixture(scope="module")
def embedder(embedders):
    return embedders["one pass"]


def streamed(embedder, parts, **arguments):
    """Frames `(t, d)` and times of a stream of parts."""
    stream = embedder.stream(**arguments)
    given = [pair for part in parts for pair in stream.push(part)] + stream.finish()
    return np.stack([frame for frame, _ in given]), np.array([time_ms for _, time_ms in given])


def check(actual, expected):
    """Each of the two is frames and their times."""
    assert actual[0].dtype == np.float32
    assert relative_error(actual[0], expected[0]) <= BACKENDS_AGREE
    np.testing.assert_allclose(actual[0], expected[0], rtol=0, atol=BACKENDS_AGREE)
    np.testing.assert_allclose(actual[1], expected[1])


@pytest.mark.parametrize("chunk", [1, 160, 1000, 32000])
def test_chunks(embedder, chunk):
    waveform = noise(40000)[: 9000 if chunk == 1 else None]
    parts = cut(waveform, range(chunk, waveform.size, chunk))
    check(streamed(embedder, parts), embedder.embed_timestamps(waveform))


@pytest.mark.parametrize("name", EMBEDDERS)
@settings(max_examples=15)
@given(
    # A frame of the spectrogram alone, one window and a sample more or less, a last patch of every
    # length, and several windows.
    samples=st.sampled_from([400, 639, 6239, 6240, 6400, 6560, 6720, 19000]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_any_cut(embedders, name, samples, cuts):
    waveform = noise(samples)
    parts = cut(waveform, [int(place * samples) for place in cuts])
    check(streamed(embedders[name], parts), embedders[name].embed_timestamps(waveform))


@pytest.mark.parametrize(
    "arguments",
    [
        {"use_class_token": False},
        {"input_gate": "sigmoid", "forget_gate": "exp"},
        {"patch_size": (8, 8), "expansion_factor": 2},
        {"patch_size": (1, 80)},
    ],
    ids=str,
)
def test_other_encoders(arguments):
    embedder = AudioEmbedder(new_encoder(**arguments), one_pass=True, **DATASET)
    waveform = noise(15000)
    parts = cut(waveform, [100, 101, 7000])
    check(streamed(embedder, parts), embedder.embed_timestamps(waveform))


def test_another_front_end(encoder):
    """With hops as long as a window, of which some samples are in no frame."""
    log_mel = {"sampling_rate": 8000, "window_length": 400, "hop_length": 400}
    log_mel |= {"max_frequency": 4000.0, "min_frequency": 300.0}
    embedder = AudioEmbedder(
        new_encoder(spectrogram_shape=(40, 16)), log_mel=log_mel, one_pass=True, **DATASET
    )
    waveform = noise(15000)
    expected = embedder.embed_timestamps(waveform, sampling_rate=8000)
    check(streamed(embedder, cut(waveform, [3000, 3001]), sampling_rate=8000), expected)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_rates_are_resampled_as_offline(embedder, rate):
    waveform = noise(rate)
    expected = embedder.embed_timestamps(waveform, sampling_rate=rate)
    parts = cut(waveform, range(441, rate, 441))
    check(streamed(embedder, parts, sampling_rate=rate), expected)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8"])
def test_pcm(embedder, dtype):
    generator = np.random.default_rng(0)
    limits = np.iinfo(dtype)
    samples = generator.integers(limits.min, limits.max, 5000, dtype)
    check(streamed(embedder, cut(samples, [999])), embedder.embed_timestamps(samples))


def test_a_tensor_and_a_list(embedder):
    waveform = noise(3000)
    parts = [keras.ops.convert_to_tensor(waveform[:1000]), [], waveform[1000:].tolist()]
    check(streamed(embedder, parts), embedder.embed_timestamps(waveform))


def test_a_frame_comes_with_its_last_sample(embedder):
    stream = embedder.stream()
    waveform = noise(1320)
    assert stream.push(waveform[:679]) == []
    assert [time_ms for _, time_ms in stream.push(waveform[679:680])] == [0.0]
    assert stream.push(waveform[680:1319]) == []
    assert [time_ms for _, time_ms in stream.push(waveform[1319:])] == [40.0]


def test_official_frames_come_with_their_window(embedders):
    stream = embedders["windows, official order"].stream()
    waveform = noise(6440)
    assert stream.push(waveform[:6439]) == []
    assert len(stream.push(waveform[6439:])) == 10


def test_low_precision_encoders_are_streamed_in_float32():
    embedder = AudioEmbedder(new_encoder(dtype="mixed_bfloat16"), one_pass=True, **DATASET)
    waveform = noise(5000)
    frames, _ = embedder.embed_timestamps(waveform)
    assert relative_error(streamed(embedder, [waveform])[0], frames) <= LOW_PRECISION["bfloat16"]


def test_a_stream_keeps_its_weights_with_what_lora_adds():
    encoder = new_encoder()
    adapted = encoder.blocks[0].up_projection
    adapted.enable_lora(2)
    adapted.lora_kernel_b.assign(np.full(adapted.lora_kernel_b.shape, 0.3))
    embedder = AudioEmbedder(encoder, one_pass=True, **DATASET)
    waveform = noise(3000)
    expected = embedder.embed_timestamps(waveform)
    stream = embedder.stream()
    for weight in embedder.encoder.weights:
        weight.assign(np.zeros(weight.shape))
    given = stream.push(waveform) + stream.finish()
    check((np.stack([f for f, _ in given]), np.array([t for _, t in given])), expected)


def test_memory_does_not_grow(embedder):
    stream = embedder.stream(sampling_rate=22050)
    part = noise(5000)

    def size_after(pushes):
        for _ in range(pushes):
            stream.push(part)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        after_a_second = size_after(5)
        grown = size_after(50) - after_a_second
    finally:
        tracemalloc.stop()
    # Less than one part: what differs is how much of a frame is waiting.
    assert grown < part.nbytes


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.array([0.0, np.nan] * 500, "float32"), "`samples` must be finite.*500 of 1000"),
        (np.array([0.0, np.inf]), "`samples` must be finite"),
        (np.zeros((2, 1000), "float32"), r"mono, of shape \(samples,\).*mean\(axis=0\)"),
        (np.zeros((1000, 0), "float32"), "mono"),
        (np.float32(0.5), r"must have shape \(samples,\)"),
        (np.zeros(1000, "int64"), "integer PCM.*Received: dtype int64"),
        (np.zeros(1000, "complex64"), "complex64"),
        (np.zeros(1000, bool), "bool"),
        (b"\0\0", "must hold floating-point or integer PCM samples"),
        ([[0.0], [0.0, 0.0]], r"must be a waveform `\(samples,\)`"),
        (None, "must hold floating-point or integer PCM samples"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_bad_part_is_refused_and_the_stream_goes_on(embedder, samples, message):
    waveform = noise(5000)
    stream = embedder.stream()
    given = stream.push(waveform[:3000])
    with pytest.raises(ValueError, match=message):
        stream.push(samples)
    given += stream.push(waveform[3000:]) + stream.finish()
    frames = np.stack([frame for frame, _ in given])
    assert relative_error(frames, embedder.embed_timestamps(waveform)[0]) <= BACKENDS_AGREE


@pytest.mark.parametrize(("rate", "needed"), [(16000, 400), (44100, 1103), (8000, 200)])
def test_audio_shorter_than_a_frame(embedder, rate, needed):
    stream = embedder.stream(sampling_rate=rate)
    waveform = noise(needed)
    for part, received in ((waveform[:0], 0), (waveform[:-1], needed - 1)):
        stream.push(part)
        with pytest.raises(
            ValueError, match=f"{needed} samples at {rate} Hz. Received: {received}"
        ):
            stream.finish()
    stream.push(waveform[-1:])
    (frame, time_ms), *others = stream.finish()
    assert others == [] and time_ms == 0.0
    expected = embedder.embed_timestamps(waveform, sampling_rate=rate)[0][0]
    assert relative_error(frame, expected) <= BACKENDS_AGREE


def test_a_finished_stream_takes_no_more(embedder):
    stream = embedder.stream()
    stream.push(noise(1000))
    stream.finish()
    for call in (lambda: stream.push(noise(10)), lambda: stream.push([]), stream.finish):
        with pytest.raises(ValueError, match="finished. Make a new one with `embedder.stream"):
            call()


@pytest.mark.parametrize("rate", [0, -16000, 16000.0, "16000", True])
def test_bad_rates(embedder, rate):
    with pytest.raises(ValueError, match="`sampling_rate` must be a positive integer"):
        embedder.stream(sampling_rate=rate)


def test_normalization_by_the_clip_is_refused(encoder):
    with pytest.raises(ValueError, match='normalization="dataset".*or "none".*not known before'):
        AudioEmbedder(encoder).stream()


def test_flip_is_refused():
    with pytest.raises(ValueError, match="`flip=False`.*Received: flip=True.*from its end"):
        AudioEmbedder(new_encoder(flip=True), **DATASET).stream()


def test_attention_is_refused():
    ssast = SSASTEncoder((40, 80), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    with pytest.raises(ValueError, match="an AxLSTMEncoder.*SSASTEncoder.*attends to the whole"):
        AudioEmbedder(ssast, **DATASET).stream()


def test_quantized_weights_are_refused():
    encoder = new_encoder()
    encoder.blocks[1].down_projection.quantize("int8")
    with pytest.raises(ValueError, match="float32.*quantized to int8"):
        AudioEmbedder(encoder, **DATASET).stream()
