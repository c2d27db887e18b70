"""`tf_random_crops` beside `random_crops`; with tensorflow-io in an environment of its own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from keras_axlstm.data import prepare, random_crops, tf_random_crops
from tests.support.corrupt_audio import write_corrupt_audio

tf = pytest.importorskip("tensorflow")
EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


def tensorflow_io_loads() -> bool:
    try:
        import tensorflow_io

        tensorflow_io.audio.decode_wav  # noqa: B018
    except Exception:
        return False
    return True


DECODERS = [
    "soundfile",
    pytest.param(
        "tensorflow-io",
        marks=pytest.mark.skipif(not tensorflow_io_loads(), reason="tensorflow-io does not load"),
    ),
]


def take(dataset, count: int) -> np.ndarray:
    iterator = iter(dataset)
    return np.stack([np.asarray(next(iterator)) for _ in range(count)])


@pytest.mark.parametrize("dynamic_range", [None, 20.0])
@pytest.mark.parametrize("decoder", DECODERS)
def test_the_same_crops(decoder, dynamic_range, tmp_path):
    """Of files of all kinds at 16 kHz, where no resampling comes between."""
    rng = np.random.default_rng(0)
    for i, (kind, subtype) in enumerate(
        [("wav", None), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "PCM_U8"), ("flac", None)]
        + [("flac", "PCM_24"), ("ogg", None), ("mp3", None)]
    ):
        noise = rng.uniform(-0.5, 0.5, (8000 + 100 * i, 1 + i % 2))
        soundfile.write(tmp_path / f"{i}.{kind}", noise, 16000, subtype=subtype)
    manifest = tmp_path / "clips.csv"
    names = [f"{path.name},,\n{path.name},0.1,0.3\n" for path in sorted(tmp_path.iterdir())]
    manifest.write_text("path,start,end\n" + "".join(names))
    arguments = {"batch_size": 40, "num_frames": 30, "seed": 3, "dynamic_range": dynamic_range}
    expected = take(random_crops(manifest, **arguments), 3)
    dataset = tf_random_crops(manifest, decoder=decoder, **arguments)
    assert dataset.element_spec.shape.as_list() == [None, 30, 80]
    atol = 1e-3 if decoder == "tensorflow-io" else 0
    np.testing.assert_allclose(take(dataset, 3), expected, atol=atol)
    later = tf_random_crops(manifest, decoder=decoder, first_batch=2, **arguments)
    np.testing.assert_allclose(take(later, 1), expected[2:], atol=atol)


@pytest.mark.parametrize("decoder", DECODERS)
def test_resampled_files(decoder, tmp_path):
    for rate in (8000, 22050, 44100, 48000):
        time = np.arange(rate) / rate
        tones = sum(np.sin(2 * np.pi * f * time) for f in range(100, 3500, 170)) / 40
        soundfile.write(tmp_path / f"{rate}.wav", tones, rate)
    arguments = {"batch_size": 8, "num_frames": 60, "normalization": "none"}
    expected = take(random_crops(tmp_path, **arguments), 1)
    crops = take(tf_random_crops(tmp_path, decoder=decoder, **arguments), 1)
    # The filters end at different frequencies, and differ in what is below hearing.
    loud = expected > -2
    assert loud.mean() > 0.2
    np.testing.assert_allclose(crops[loud], expected[loud], atol=0.01 if "io" in decoder else 0)


@pytest.mark.parametrize("decoder", DECODERS)
def test_epochs_and_processes(decoder):
    arguments = {"batch_size": 8, "num_frames": 9, "num_epochs": 2}
    atol = 1e-3 if decoder == "tensorflow-io" else 0
    for process_index in (0, 1):
        share = {"process_index": process_index, "process_count": 2}
        expected = list(random_crops(EXAMPLES, **arguments, **share))
        crops = list(tf_random_crops(EXAMPLES, decoder=decoder, **arguments, **share))
        assert np.shape(crops) == np.shape(expected) == (3, 4, 9, 80)
        if decoder == "soundfile":
            np.testing.assert_allclose(crops, expected, atol=atol)
    rest = list(tf_random_crops(EXAMPLES, drop_remainder=False, **(arguments | {"batch_size": 9})))
    assert [len(batch) for batch in rest] == [9, 9, 6]


@pytest.mark.parametrize("decoder", DECODERS)
def test_corrupt_files(decoder, tmp_path):
    _, unreadable = write_corrupt_audio(tmp_path / "audio", good=4)
    arguments = {"batch_size": 30, "num_frames": 9}
    skipped: list = []
    with pytest.warns(UserWarning, match="cannot be read and are skipped"):
        expected = take(random_crops(tmp_path / "audio", **arguments), 2)
    with pytest.warns(UserWarning, match="cannot be read and are skipped"):
        dataset = tf_random_crops(
            tmp_path / "audio", skipped=skipped, decoder=decoder, num_workers=2, **arguments
        )
        crops = take(dataset, 2)
    assert sorted(path.name for path, _ in skipped) == sorted(unreadable)
    if decoder == "soundfile":
        np.testing.assert_array_equal(crops, expected)
    else:
        assert np.isfinite(crops).all()


def test_prepared_shards(tmp_path):
    prepare(EXAMPLES, tmp_path / "out")
    arguments = {"batch_size": 40, "seed": 1}
    expected = take(random_crops(tmp_path / "out", **arguments), 2)
    np.testing.assert_array_equal(take(tf_random_crops(tmp_path / "out", **arguments), 2), expected)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`decoder` must be one of auto, soundfile, tensor"):
        tf_random_crops(EXAMPLES, batch_size=2, decoder="ffmpeg")
    with pytest.raises(ValueError, match="`first_batch` must be an integer of at least 0"):
        tf_random_crops(EXAMPLES, batch_size=2, first_batch=-1)
    if not tensorflow_io_loads():
        with pytest.raises(ImportError, match="works with TensorFlow 2.16"):
            tf_random_crops(EXAMPLES, batch_size=2, decoder="tensorflow-io")


def test_nothing_readable(tmp_path):
    soundfile.write(tmp_path / "bad.wav", np.full(100, np.nan), 16000, subtype="FLOAT")
    dataset = tf_random_crops(tmp_path, batch_size=2)
    with pytest.raises(tf.errors.OpError, match="None of the 1 clips can be read"):
        next(iter(dataset))
