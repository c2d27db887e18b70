"""AudioEmbedder: the authors' numbers, and what windows, padding and files must not change."""

import functools
import math

import keras
import numpy as np
import pytest
import soundfile

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel, read_audio, resample
from keras_axlstm.conversion import from_official_state_dict
from keras_axlstm.models import (
    AudioEmbedder,
    AxLSTMAudioConverter,
    AxLSTMEncoder,
    SSASTAudioConverter,
    SSASTEncoder,
)
from tests.support.golden import load_golden
from tests.support.tolerances import (
    BACKENDS_AGREE,
    LOW_PRECISION,
    RUNTIME_EMBEDDING,
    SAME_FORMULA,
    relative_error,
)

WINDOW = 40
RATE = 16000


def new_encoder(kind="axlstm", flip=True):
    keras.utils.set_random_seed(3)
    shape, patch = (WINDOW, 80), (4, 16)
    if kind == "ssast":
        return SSASTEncoder(shape, patch, hidden_dim=16, num_layers=2, num_heads=2)
    return AxLSTMEncoder(shape, patch, hidden_dim=16, num_layers=2, num_heads=2, flip=flip)


@pytest.fixture(scope="module")
def encoder():
    return new_encoder()


@pytest.fixture(scope="module")
def embedder(encoder):
    """Batches of four windows. Shared, so that what is compiled is compiled once."""
    return AudioEmbedder(encoder, batch_size=4)


@pytest.fixture(scope="module", params=["windows", "one_pass"])
def either_embedder(encoder, embedder, request):
    if request.param == "windows":
        return embedder
    return AudioEmbedder(encoder, batch_size=4, one_pass=True)


def noise(samples, seed=0):
    """Noise whose loudness changes, so that no two stretches look alike."""
    generator = np.random.default_rng(seed)
    loudness = np.interp(np.arange(samples), np.linspace(0, samples, 9), generator.random(9))
    return (0.3 * loudness * generator.standard_normal(samples)).astype("float32")


def features_of(encoder, spectrogram):
    """Frame features of one spectrogram `(frames, bands)`, straight from the encoder."""
    model = compiled_for(encoder, len(spectrogram))
    features = encoder.frame_features(model.predict_on_batch(spectrogram[np.newaxis]))
    return keras.ops.convert_to_numpy(features)[0]


@functools.cache
def compiled_for(encoder, frames):
    return keras.Model(encoder.input, encoder.output)


def windowed(encoder, waveform):
    """The definition: windows one by one, the last filled up with zeros, its padding dropped."""
    spectrogram = normalize_log_mel(log_mel_spectrogram(waveform), "clip")
    parts = []
    for start in range(0, len(spectrogram), WINDOW):
        window = spectrogram[start : start + WINDOW]
        padded = np.pad(window, ((0, WINDOW - len(window)), (0, 0)))
        parts.append(features_of(encoder, padded)[: math.ceil(len(window) / 4)])
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def golden():
    return load_golden("runtime_flip_ef2")


@pytest.fixture(scope="module")
def golden_embedder(golden):
    weights = {
        name.removeprefix("weight/"): value
        for name, value in golden.items()
        if name.startswith("weight/")
    }
    model = from_official_state_dict(weights, spectrogram_shape=(200, 80), flip=True)
    return AudioEmbedder(model.encoder, normalization="none")


@pytest.mark.parametrize("name", ["speech", "chirp", "short"])
def test_golden(golden, golden_embedder, name):
    frames, times_ms = golden_embedder.embed_timestamps(golden[f"wave/{name}"])
    assert relative_error(frames, golden[f"timestamp/{name}"]) <= RUNTIME_EMBEDDING
    np.testing.assert_allclose(times_ms, 40.0 * np.arange(len(frames)))
    scene = golden_embedder.embed(golden[f"wave/{name}"])
    assert relative_error(scene, golden[f"scene/{name}"]) <= RUNTIME_EMBEDDING


@pytest.mark.parametrize("samples", [1, 6239, 6240, 40000])
def test_windows_are_what_they_are_defined_to_be(encoder, embedder, samples):
    waveform = noise(samples)
    expected = windowed(encoder, waveform)
    frames, times_ms = embedder.embed_timestamps(waveform)
    assert frames.dtype == np.float32
    assert frames.shape == (math.ceil((samples // 160 + 1) / 4), embedder.embedding_dim)
    assert relative_error(frames, expected) <= SAME_FORMULA
    np.testing.assert_allclose(times_ms, 40.0 * np.arange(len(frames)))
    scene = embedder.embed(waveform)
    assert scene.dtype == np.float32
    assert relative_error(scene, expected.mean(axis=0)) <= SAME_FORMULA


def test_a_batch_is_its_clips(encoder, embedder):
    clips = np.stack([noise(9000, seed) for seed in range(3)])
    expected = np.stack([windowed(encoder, clip) for clip in clips])
    frames, times_ms = embedder.embed_timestamps(clips)
    assert relative_error(frames, expected) <= SAME_FORMULA
    assert times_ms.shape == (frames.shape[1],)
    assert relative_error(embedder.embed(clips), expected.mean(axis=1)) <= SAME_FORMULA
    assert embedder.embed(clips[:1]).shape == (1, embedder.embedding_dim)


@pytest.mark.parametrize(("kind", "flip"), [("axlstm", False), ("axlstm", True), ("ssast", False)])
def test_one_pass_padded_together_is_one_by_one(kind, flip):
    encoder = new_encoder(kind, flip)
    embedder = AudioEmbedder(encoder, one_pass=True, batch_size=8)
    clips = [noise(samples, samples) for samples in (400, 9500, 3000)]
    expected = [
        features_of(encoder, normalize_log_mel(log_mel_spectrogram(clip), "clip")) for clip in clips
    ]
    together = embedder.embed(clips)
    for clip, scene, frames in zip(clips, together, expected, strict=True):
        assert relative_error(scene, frames.mean(axis=0)) <= BACKENDS_AGREE
        assert relative_error(embedder.embed_timestamps(clip)[0], frames) <= BACKENDS_AGREE


def test_a_file_is_its_waveform_at_its_own_rate(embedder, tmp_path):
    waveform = noise(20000)
    path = tmp_path / "clip.wav"
    soundfile.write(path, waveform, 44100, subtype="FLOAT")
    expected = embedder.embed(resample(waveform, 44100, RATE))
    for audio in (path, str(path)):
        np.testing.assert_array_equal(embedder.embed(audio), expected)
        # The rate is of arrays only.
        np.testing.assert_array_equal(embedder.embed(audio, sampling_rate=8000), expected)
    assert relative_error(embedder.embed(waveform, 44100), expected) <= SAME_FORMULA


def test_normalization(encoder):
    waveform = noise(5000)
    log_mel = log_mel_spectrogram(waveform)
    padded = np.pad((log_mel - 2.0) / 3.0, ((0, WINDOW - len(log_mel)), (0, 0)))
    expected = features_of(encoder, padded)[: math.ceil(len(log_mel) / 4)].mean(axis=0)
    embedder = AudioEmbedder(encoder, normalization="dataset", mean=2.0, std=3.0)
    assert relative_error(embedder.embed(waveform), expected) <= SAME_FORMULA


@pytest.mark.parametrize(
    ("arguments", "order"),
    [
        ({}, "time"),
        ({"normalization": "none"}, "official"),
        ({"normalization": "none", "one_pass": True}, "time"),
        ({"normalization": "none", "frame_order": "time"}, "time"),
    ],
)
def test_the_frame_order_is_the_authors_only_with_all_of_their_code(encoder, arguments, order):
    assert AudioEmbedder(encoder, **arguments).frame_order == order


def test_mixed_precision_gives_float32(encoder, embedder):
    half = AxLSTMEncoder.from_config({**encoder.get_config(), "dtype": "mixed_bfloat16"})
    half.set_weights(encoder.get_weights())
    scene = AudioEmbedder(half).embed(noise(9000))
    assert scene.dtype == np.float32
    assert relative_error(scene, embedder.embed(noise(9000))) <= LOW_PRECISION["bfloat16"]


def test_weights_that_change_are_seen():
    encoder = new_encoder()
    embedder = AudioEmbedder(encoder)
    before = embedder.embed(noise(3000))
    encoder.norm.beta.assign(encoder.norm.beta + 1.0)
    np.testing.assert_allclose(embedder.embed(noise(3000)), before + 1.0, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["axlstm", "ssast"])
def test_from_preset(kind, tmp_path):
    encoder = new_encoder(kind)
    encoder.save_to_preset(str(tmp_path))
    plain = AudioEmbedder.from_preset(str(tmp_path), batch_size=2)
    assert (plain.normalization, plain.batch_size) == ("clip", 2)
    expected = AudioEmbedder(encoder).embed(noise(9000))
    assert relative_error(plain.embed(noise(9000)), expected) <= SAME_FORMULA

    converter = SSASTAudioConverter if kind == "ssast" else AxLSTMAudioConverter
    converter(normalization="dataset", mean=1.0, std=2.0, hop_length=80).save_to_preset(
        str(tmp_path)
    )
    stored = AudioEmbedder.from_preset(tmp_path)
    assert (stored.normalization, stored.mean, stored.std) == ("dataset", 1.0, 2.0)
    frames, times_ms = stored.embed_timestamps(noise(9000))
    assert len(frames) == math.ceil((9000 // 80 + 1) / 4)
    assert times_ms[1] == 20.0
    assert AudioEmbedder.from_preset(tmp_path, normalization="none").normalization == "none"


def test_the_dynamic_range_of_a_preset(tmp_path):
    new_encoder().save_to_preset(str(tmp_path))
    AxLSTMAudioConverter(dynamic_range=20.0).save_to_preset(str(tmp_path))
    waveform = noise(9000) * np.linspace(0, 1, 9000)
    limited, unlimited = (
        AudioEmbedder.from_preset(tmp_path, dynamic_range=decibels).embed(waveform)
        for decibels in (20.0, None)
    )
    encoder = AudioEmbedder.from_preset(tmp_path).encoder
    direct = AudioEmbedder(encoder, dynamic_range=20.0)
    np.testing.assert_array_equal(limited, direct.embed(waveform))
    assert relative_error(limited, unlimited) > 0.01


def test_the_bands_are_the_encoders():
    encoder = AxLSTMEncoder((WINDOW, 32), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    waveform = noise(3000)
    log_mel = normalize_log_mel(log_mel_spectrogram(waveform, num_mel_bins=32), "clip")
    padded = np.pad(log_mel, ((0, WINDOW - len(log_mel)), (0, 0)))
    expected = features_of(encoder, padded)[: math.ceil(len(log_mel) / 4)].mean(axis=0)
    assert relative_error(AudioEmbedder(encoder).embed(waveform), expected) <= SAME_FORMULA


def test_a_name_without_weights_is_refused():
    with pytest.raises(ValueError, match="has no pretrained weights"):
        AudioEmbedder.from_preset("ssast_base")
    with pytest.raises(ValueError, match="Unknown preset"):
        AudioEmbedder.from_preset("axlstm_huge")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normalization": "batch"}, "`normalization` must be one of"),
        ({"normalization": "dataset", "mean": 1.0}, "`mean` and `std`"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer"),
        ({"batch_size": 2.0}, "`batch_size` must be a positive integer"),
        ({"frame_order": "frequency"}, "frame order must be one of"),
        ({"frame_order": "official", "one_pass": True}, "for windows only"),
        ({"log_mel": {"hop_length": 0}}, "`hop_length` must be a positive integer"),
        ({"log_mel": {"num_mel_bins": 64}}, "reads 80 mel bands"),
        ({"encoder": "axlstm_base"}, "`AudioEmbedder.from_preset`"),
    ],
)
def test_bad_arguments(encoder, arguments, message):
    with pytest.raises(ValueError, match=message):
        AudioEmbedder(**{"encoder": encoder, **arguments})


def test_timestamps_of_clips_of_different_length_are_refused(embedder):
    with pytest.raises(ValueError, match="clips of 500 to 900 samples"):
        embedder.embed_timestamps([noise(900), noise(500)])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Four files, two of one name, and two that cannot be read."""
    folder = tmp_path_factory.mktemp("audio")
    paths = []
    for index, samples in enumerate([3000, 20000, 700, 9000]):
        path = folder / f"{index % 2}" / f"clip{index // 2}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, noise(samples, index), RATE, subtype="FLOAT")
        paths.append(path)
    broken = folder / "broken.wav"
    broken.write_bytes(b"no audio")
    return [paths[0], broken, *paths[1:], folder / "missing.wav"], paths


@pytest.mark.parametrize("suffix", [None, ".npz", ".parquet"])
def test_scenes_of_files(either_embedder, files, tmp_path, suffix):
    (given, good), embedder = files, either_embedder
    output = tmp_path / f"scenes{suffix}" if suffix else None
    result = embedder.embed_files(given, output=output, progress=False)
    assert [path for path, _ in result.failures] == [given[1], given[-1]]
    assert "broken.wav" in result.failures[0][1] and "missing.wav" in result.failures[1][1]
    assert set(result.embeddings) == set(result.seconds) == set(good)
    assert result.seconds[good[1]] == 1.25
    assert result.times_ms == {} and result.output == output
    written = read_scenes(output) if suffix else {}
    for path in good:
        expected = embedder.embed(read_audio(path))
        assert relative_error(result.embeddings[path], expected) <= SAME_FORMULA
        if suffix:
            np.testing.assert_array_equal(written.pop(str(path)), result.embeddings[path])
    assert written == {}


def read_scenes(path):
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            assert sorted(arrays) == ["embedding", "path"]
            return dict(zip(arrays["path"].tolist(), arrays["embedding"], strict=True))
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[80]"
    rows = table.to_pylist()
    return {row["path"]: np.array(row["embedding"], "float32") for row in rows}


@pytest.mark.parametrize("suffix", [None, ".npz", ".parquet"])
def test_frames_of_files(either_embedder, files, tmp_path, suffix):
    (given, good), embedder = files, either_embedder
    output = tmp_path / f"frames{suffix}" if suffix else None
    result = embedder.embed_files(given, output=output, kind="timestamps", progress=False)
    assert len(result.failures) == 2
    if suffix:
        assert result.embeddings == result.times_ms == {}
        found = read_frames(output)
    else:
        found = {
            str(path): (frames, result.times_ms[path]) for path, frames in result.embeddings.items()
        }
    assert set(found) == set(map(str, good))
    for path in good:
        frames, times_ms = found[str(path)]
        expected, expected_times = embedder.embed_timestamps(read_audio(path))
        assert relative_error(frames, expected) <= SAME_FORMULA
        np.testing.assert_array_equal(times_ms, expected_times)


def read_frames(path):
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {
                name: (arrays[f"embedding/{row}"], arrays[f"times_ms/{row}"])
                for row, name in enumerate(arrays["path"].tolist())
            }
    import pyarrow.parquet as pq

    found = {}
    for row in pq.read_table(path).to_pylist():
        frames, times_ms = found.setdefault(row["path"], ([], []))
        frames.append(row["embedding"])
        times_ms.append(row["time_ms"])
    return found


def test_a_progress_bar_counts_the_files(embedder, files, capfd):
    embedder.embed_files(files[0])
    assert "6/6" in capfd.readouterr().err


def test_one_path_is_one_file(embedder, files):
    result = embedder.embed_files(str(files[1][0]), progress=False)
    assert list(result.embeddings) == [str(files[1][0])]


def test_a_bad_file_can_be_an_error(embedder, files, tmp_path):
    with pytest.raises(ValueError, match="broken.wav"):
        embedder.embed_files(
            files[0], output=tmp_path / "scenes.npz", progress=False, on_error="raise"
        )
    assert list(tmp_path.iterdir()) == []


def test_no_good_file_leaves_no_output(embedder, files, tmp_path):
    bad = [files[0][1], files[0][-1]]
    assert len(embedder.embed_files(bad, progress=False).failures) == 2
    for suffix in (".npz", ".parquet"):
        with pytest.raises(ValueError, match="None of the 2 files.*broken.wav"):
            embedder.embed_files(bad, output=tmp_path / f"scenes{suffix}", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"paths": []}, ValueError, "at least one audio file"),
        ({"kind": "frame"}, ValueError, '`kind` must be "scene" or "timestamps"'),
        ({"on_error": "ignore"}, ValueError, '`on_error` must be "skip" or "raise"'),
        ({"output": "scenes.csv"}, ValueError, "must end in .npz or .parquet"),
        ({"output": "old.npz"}, FileExistsError, "overwrite=True"),
    ],
)
def test_bad_calls_read_no_file(embedder, tmp_path, monkeypatch, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.npz").write_text("old")
    monkeypatch.setattr(embedder, "_read", lambda path: pytest.fail("read a file"))
    with pytest.raises(error, match=message):
        embedder.embed_files(**{"paths": ["a.wav"], "progress": False, **arguments})
    assert (tmp_path / "old.npz").read_text() == "old"


def test_parquet_without_pyarrow_says_what_to_install(embedder, files, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'keras-axlstm\[parquet\]'"):
        embedder.embed_files(files[1], output=tmp_path / "scenes.parquet", progress=False)


def test_overwrite_replaces(embedder, files, tmp_path):
    output = tmp_path / "scenes.npz"
    output.write_text("old")
    embedder.embed_files(files[1], output=output, overwrite=True, progress=False)
    assert len(read_scenes(output)) == 4


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
@pytest.mark.parametrize("kind", ["scene", "timestamps"])
def test_an_interrupted_run_leaves_nothing(encoder, files, tmp_path, monkeypatch, suffix, kind):
    embedder = AudioEmbedder(encoder, batch_size=1)
    read, count = embedder._read, iter(range(10))

    def interrupted(path):
        if next(count) == 2:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(embedder, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embedder.embed_files(files[1], output=tmp_path / f"out{suffix}", kind=kind, progress=False)
    assert list(tmp_path.iterdir()) == []
