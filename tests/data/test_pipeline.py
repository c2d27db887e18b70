import keras
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_axlstm.data import random_crops

FILES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tones that tell the file by the loudest band, and the place in it by the loudness."""
    folder = tmp_path_factory.mktemp("tones")
    seconds = np.arange(8000) / 16000
    for i in range(FILES):
        tone = np.sin(2 * np.pi * 300 * 1.6**i * seconds) * np.linspace(0.1, 0.9, 8000)
        soundfile.write(folder / f"{i}.wav", tone, 16000)
    return folder


@pytest.fixture
def damaged(folder, tmp_path):
    """The same, and two files that fail only when they are decoded."""
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    bad = np.full(100, np.nan)
    for name in ("1_bad.wav", "9_bad.wav"):
        soundfile.write(tmp_path / name, bad, 16000, subtype="FLOAT")
    return tmp_path


def take(dataset, count: int) -> np.ndarray:
    iterator = iter(dataset)
    return np.stack([next(iterator) for _ in range(count)])


def files_of(crops: np.ndarray) -> list[int]:
    """Which tone each crop `(..., frames, bands)` is of, by rank."""
    loudest = crops.reshape(-1, *crops.shape[-2:]).mean(axis=1).argmax(axis=1)
    bands = sorted(set(loudest))
    return [bands.index(band) for band in loudest]


def test_batches(folder):
    crops = take(random_crops(folder, batch_size=4, num_frames=20), 3)
    assert crops.shape == (3, 4, 20, 80) and crops.dtype == np.float32


def test_everything_follows_from_the_seed(folder):
    arguments = {"batch_size": 4, "num_frames": 20}
    first = take(random_crops(folder, seed=7, **arguments), 5)
    np.testing.assert_array_equal(take(random_crops(folder, seed=7, **arguments), 5), first)
    assert not np.array_equal(take(random_crops(folder, seed=8, **arguments), 5), first)


def test_epochs_differ_in_order_and_crops(folder):
    epochs = take(random_crops(folder, batch_size=FILES, num_frames=20), 8)
    orders = [tuple(files_of(epoch)) for epoch in epochs]
    assert all(sorted(order) == list(range(FILES)) for order in orders)
    assert len(set(orders)) > 4
    crops_of_a_file = [epoch[order.index(3)] for epoch, order in zip(epochs, orders, strict=True)]
    assert len({crop.tobytes() for crop in crops_of_a_file}) > 4


def test_without_shuffle_the_order_is_given(folder):
    paths = [folder / f"{i}.wav" for i in (2, 0, 1)]
    epochs = take(random_crops(paths, batch_size=3, num_frames=20, shuffle=False), 2)
    assert files_of(epochs[0]) == files_of(epochs[1]) == [2, 0, 1]
    assert not np.array_equal(epochs[0], epochs[1])


@settings(max_examples=20)
@given(
    batch_size=st.integers(1, 15),
    num_epochs=st.integers(1, 3),
    drop_remainder=st.booleans(),
)
def test_number_of_batches(folder, batch_size, num_epochs, drop_remainder):
    dataset = random_crops(
        folder,
        batch_size=batch_size,
        num_frames=3,
        num_epochs=num_epochs,
        drop_remainder=drop_remainder,
    )
    sizes = [len(batch) for batch in dataset]
    crops = FILES * num_epochs
    if drop_remainder:
        assert sizes == [batch_size] * max(1, crops // batch_size)
    else:
        assert sum(sizes) == crops and set(sizes[:-1]) <= {batch_size}


def test_going_on_from_a_state(folder):
    dataset = random_crops(folder, batch_size=4, num_frames=20, num_epochs=5)
    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    state = iterator.get_state()
    rest = list(iterator)
    again = iter(random_crops(folder, batch_size=4, num_frames=20, num_epochs=5))
    again.set_state(state)
    np.testing.assert_array_equal(list(again), rest)
    assert len(rest) == FILES * 5 // 4 - 3


@pytest.mark.parametrize("state", [{}, {"batches": -1}, {"batches": "x"}, None])
def test_a_state_of_something_else(folder, state):
    with pytest.raises(ValueError, match="Expected a state that `get_state` gave"):
        iter(random_crops(folder, batch_size=2)).set_state(state)


@pytest.mark.parametrize("process_count", [1, 2, 3, 8])
def test_processes_share_each_batch(folder, process_count):
    arguments = {"batch_size": 24, "num_frames": 20, "num_epochs": 9, "seed": 3}
    together = np.stack(list(random_crops(folder, **arguments)))
    parts = [
        list(random_crops(folder, process_index=i, process_count=process_count, **arguments))
        for i in range(process_count)
    ]
    assert np.shape(parts) == (process_count, 2, 24 // process_count, 20, 80)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), together)
    # 48 crops of 6 files: eight epochs, in each of which every file comes once.
    for epoch in together.reshape(8, FILES, 20, 80):
        assert sorted(files_of(epoch)) == list(range(FILES))


def test_unreadable_clips_do_not_move_the_others(folder, damaged):
    """Where all clips can be read, the order has the same crops at the same positions."""
    for name in ("1_bad.wav", "9_bad.wav"):
        soundfile.write(damaged / name, np.full(8000, 0.1), 16000)
    arguments = {"batch_size": 8, "num_frames": 20, "num_epochs": 2}
    readable = np.stack(list(random_crops(damaged, **arguments)))
    for name in ("1_bad.wav", "9_bad.wav"):
        (damaged / name).write_bytes(b"no audio")
    with pytest.warns(UserWarning, match="2 of 8 clips"):
        replaced = np.stack(list(random_crops(damaged, **arguments)))
    same = (readable == replaced).all(axis=(2, 3))
    assert (~same).sum(axis=1).tolist() == [2, 2]


def test_normalizations(folder):
    path = [folder / "0.wav"]
    arguments = {"batch_size": 1, "num_frames": 51}  # the whole clip
    (plain,) = take(random_crops(path, normalization="none", **arguments), 1)
    (clip,) = take(random_crops(path, **arguments), 1)
    (fixed,) = take(random_crops(path, normalization="dataset", mean=-5, std=2, **arguments), 1)
    np.testing.assert_allclose(clip, (plain - plain.mean()) / plain.std(), atol=1e-4)
    np.testing.assert_allclose(fixed, (plain + 5) / 2, atol=1e-5)
    (limited,) = take(random_crops(path, dynamic_range=10, **arguments), 1)
    raised = np.maximum(plain, plain.max() - np.log(10))
    np.testing.assert_allclose(limited, (raised - raised.mean()) / raised.std(), atol=1e-4)
    with pytest.raises(ValueError, match="positive number of decibels"):
        random_crops(path, dynamic_range=-3, **arguments)


def test_other_log_mel_arguments(folder):
    dataset = random_crops(
        folder,
        batch_size=2,
        num_frames=9,
        sampling_rate=8000,
        num_mel_bins=40,
        max_frequency=4000.0,
    )
    assert take(dataset, 1).shape == (1, 2, 9, 40)


def test_worker_processes_give_the_same(damaged):
    arguments = {"batch_size": 5, "num_frames": 20, "num_epochs": 3}
    with pytest.warns(UserWarning, match="of 8 clips cannot be read"):
        expected = list(random_crops(damaged, **arguments))
    skipped: list = []
    iterator = iter(random_crops(damaged, num_workers=2, skipped=skipped, **arguments))
    # A state of an iterator without workers.
    iterator.set_state({"batches": 1})
    with pytest.warns(UserWarning, match="of 8 clips cannot be read"):
        np.testing.assert_array_equal(next(iterator), expected[1])
        state = iterator.get_state()
        np.testing.assert_array_equal(list(iterator), expected[2:])
    iterator.close()
    assert state == {"batches": 2}
    assert sorted(path.name for path, _ in skipped) == ["1_bad.wav", "9_bad.wav"]


def test_files_that_fail_later_are_reported_and_replaced(damaged):
    skipped: list = []
    dataset = random_crops(damaged, batch_size=4, num_frames=20, num_epochs=2, skipped=skipped)
    assert skipped == []
    with pytest.warns(UserWarning, match="cannot be read and are skipped"):
        assert [len(batch) for batch in dataset] == [4] * 4
    assert sorted(path.name for path, _ in skipped) == ["1_bad.wav", "9_bad.wav"]
    assert all("100 of 100 samples are NaN" in reason for _, reason in skipped)


def test_files_with_unreadable_headers_are_reported_at_once(folder, tmp_path):
    (tmp_path / "empty.wav").touch()
    paths = [*sorted(folder.iterdir()), tmp_path / "empty.wav", tmp_path / "missing.wav"]
    skipped: list = []
    with pytest.warns(UserWarning, match="2 of 8 clips") as warned:
        dataset = random_crops(paths, batch_size=3, num_frames=20, num_epochs=1, skipped=skipped)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert [path.name for path, _ in skipped] == ["empty.wav", "missing.wav"]
    assert [len(batch) for batch in dataset] == [3, 3]


def test_no_readable_file(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(ValueError, match="None of the 1 clips can be read.\n.*empty.wav"):
        random_crops(tmp_path, batch_size=2)


@pytest.mark.parametrize("copies", [1, 3])
def test_no_file_that_can_be_decoded(tmp_path, copies):
    soundfile.write(tmp_path / "bad.wav", np.full(100, np.nan), 16000, subtype="FLOAT")
    dataset = random_crops([tmp_path / "bad.wav"] * copies, batch_size=2)
    with pytest.raises(ValueError, match=f"None of the {copies} clips can be read.\n.*bad.wav"):
        next(iter(dataset))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1. Received: 0"),
        ({"batch_size": 2.0}, "`batch_size` must be an integer"),
        ({"num_frames": 0}, "`num_frames` must be an integer of at least 1. Received: 0"),
        ({"num_epochs": 0}, "`num_epochs` must be an integer of at least 1. Received: 0"),
        ({"num_workers": -1}, "`num_workers` must be an integer of at least 0. Received: -1"),
        ({"seed": -1}, "`seed` must be an integer of at least 0. Received: -1"),
        ({"seed": 2**32}, r"`seed` must be less than 2\*\*32. Received: 4294967296"),
        ({"normalization": "batch"}, "`normalization` must be one of"),
        ({"normalization": "dataset"}, "mean=None, std=None"),
        ({"sampling_rate": 0}, "`sampling_rate` must be a positive integer"),
        ({"hop_length": 0}, "`hop_length` must be a positive integer"),
        ({"process_count": 0}, "`process_count` must be an integer of at least 1"),
        ({"process_index": 1}, "`process_index` must be less than process_count=1. Received: 1"),
        ({"batch_size": 8, "process_count": 3}, "process_count=3. For example, take 6."),
        (
            {"process_count": 2, "num_epochs": 1, "drop_remainder": False},
            "a batch that cannot be shared among processes",
        ),
    ],
)
def test_bad_arguments_come_before_the_files(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_crops("no/such/folder", **({"batch_size": 2} | arguments))


def test_bad_folders(tmp_path):
    with pytest.raises(ValueError, match="a path that does not exist"):
        random_crops(tmp_path / "nowhere", batch_size=2)
    with pytest.raises(ValueError, match="Found none"):
        random_crops(tmp_path, batch_size=2)
    with pytest.raises(ValueError, match="no paths"):
        random_crops([], batch_size=2)


class SquaredMean(keras.Model):
    """A model that is trained on its input alone."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, spectrogram):
        return self.dense(spectrogram)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(y_pred - 1))


def fit(dataset, **arguments):
    model = SquaredMean()
    model.compile("adam")
    # Keras warns of its own default, shuffle=True, and where a data set ends.
    return model.fit(dataset, shuffle=False, verbose=0, **arguments).history["loss"]


def test_fit(folder):
    losses = fit(random_crops(folder, batch_size=4, num_frames=20), steps_per_epoch=3, epochs=2)
    assert len(losses) == 2 and np.isfinite(losses).all()


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_fit_with_an_incomplete_batch(folder):
    dataset = random_crops(folder, batch_size=4, num_frames=20, num_epochs=3, drop_remainder=False)
    assert np.isfinite(fit(dataset)).all()
