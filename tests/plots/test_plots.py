"""What the pictures hold, read back from their axes; and that they become files."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need the extra plots")
pytest.importorskip("sklearn", reason="the embedding map needs the extra plots")

from keras_axlstm.analysis import BlockMemory, ClassTimeline
from keras_axlstm.plots import (
    plot_block_memory,
    plot_class_timeline,
    plot_embedding_map,
    plot_reconstruction,
    save_plot,
)

pytestmark = pytest.mark.any_backend


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def images(figure):
    return [np.asarray(image.get_array()) for axis in figure.axes for image in axis.get_images()]


def test_reconstruction_shows_predictions_where_patches_are_hidden(rng):
    spectrogram = rng.normal(size=(4, 4))
    patches = np.arange(16.0).reshape(4, 4)
    figure = plot_reconstruction(spectrogram, np.array([1, 0, 0, 1]), patches, (2, 2))
    whole, visible, reconstruction = images(figure)
    np.testing.assert_array_equal(whole.T, spectrogram)
    expected = spectrogram.copy()
    # Time-major patches, and time-major values in them.
    expected[:2, :2] = [[0, 1], [2, 3]]
    expected[2:, 2:] = [[12, 13], [14, 15]]
    np.testing.assert_array_equal(reconstruction.T, expected)
    hidden = np.isnan(np.ma.filled(visible.astype("float64"), np.nan)).T
    np.testing.assert_array_equal(hidden, expected != spectrogram)


def test_class_timeline_shows_the_highest_classes(rng, tmp_path):
    scores = np.array([[0.1, 0.8, 0.3], [0.2, 0.1, 0.9]])
    timeline = ClassTimeline(np.array([500.0, 1000.0]), scores, ["a", "b", "c"])
    figure = plot_class_timeline(rng.normal(size=(150, 8)), timeline, top=2)
    below = figure.axes[1]
    assert [label.get_text() for label in below.get_yticklabels()] == ["c", "b"]
    (mesh,) = below.collections
    np.testing.assert_array_equal(mesh.get_array(), scores[:, [2, 1]].T)
    edges = mesh.get_coordinates()[0, :, 0]
    np.testing.assert_allclose(edges, [0.0, 0.75, 1.5])
    save_plot(figure, tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="`top` must be at least 1"):
        plot_class_timeline(rng.normal(size=(150, 8)), timeline, top=0)


def test_block_memory_shows_gates_and_seconds(rng):
    memory = BlockMemory(rng.random((2, 5)), rng.random((2, 5)) * 10)
    _, gates, reach = images(plot_block_memory(rng.normal(size=(20, 8)), memory))
    np.testing.assert_array_equal(gates, memory.forget_gate)
    np.testing.assert_allclose(reach, memory.memory_steps * 0.04)


def test_embedding_map_keeps_groups_together(rng):
    centres = rng.normal(size=(3, 40)) * 5
    labels = np.repeat(["rain", "speech", "music"], 12)
    # Lengths differ, directions do not: cosine distances.
    embeddings = np.repeat(centres, 12, axis=0) + rng.normal(size=(36, 40))
    embeddings *= rng.uniform(0.1, 10, size=(36, 1))
    figure = plot_embedding_map(embeddings, labels, names=[str(i) for i in range(36)])
    drawn = {c.get_label(): np.asarray(c.get_offsets()) for c in figure.axes[0].collections}
    assert sorted(drawn) == ["music", "rain", "speech"]
    for label, points in drawn.items():
        middle = points.mean(axis=0)
        others = np.concatenate([drawn[other] for other in drawn if other != label])
        own = np.linalg.norm(points - middle, axis=1).max()
        assert own < np.linalg.norm(others - middle, axis=1).min()
    assert [text.get_text() for text in figure.axes[0].texts] == [str(i) for i in range(36)]


def test_embedding_map_of_few_clips_and_many_labels(rng):
    assert plot_embedding_map(rng.normal(size=(3, 8))).axes
    figure = plot_embedding_map(rng.normal(size=(30, 8)), [str(i) for i in range(30)])
    assert figure.axes[0].collections[-1].get_label() == "10 more"


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (np.zeros((2, 4)), None, "at least 3 clips"),
        (np.full((4, 4), np.nan), None, "must be finite"),
        (np.zeros((4, 4)), ["a"], "`labels` must have one entry for each of 4 clips. Received: 1"),
    ],
)
def test_embedding_map_names_bad_arguments(embeddings, labels, message):
    with pytest.raises(ValueError, match=message):
        plot_embedding_map(embeddings, labels)
