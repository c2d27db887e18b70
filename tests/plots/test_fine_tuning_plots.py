"""Pictures of a training: what they show, and shapes that do not fit."""

import numpy as np
import pytest

from keras_axlstm.plots import plot_confusion_matrix, plot_training_curves, save_plot


def test_the_confusion_matrix_shows_counts_and_shares(tmp_path):
    figure = plot_confusion_matrix(np.array([[3, 1], [0, 0]]), ["rain", "$wind"], "test")
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert [text.get_text() for text in axis.texts] == ["3", "1"]
    assert axis.get_yticklabels()[0].get_text() == "rain"
    save_plot(figure, tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_many_classes_have_no_numbers():
    names = [f"class {i}" for i in range(50)]
    figure = plot_confusion_matrix(np.eye(50, dtype=int), names)
    assert not figure.axes[0].texts
    assert max(figure.get_size_inches()) < 12


def test_the_curves_of_training_and_validation():
    history = {"accuracy": [0.1, 0.2], "loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}
    loss, accuracy = plot_training_curves(history).axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[2.0, 1.0], [3.0, 2.5]]
    assert loss.get_ylabel() == "loss" and accuracy.get_ylabel() == "accuracy"
    assert accuracy.lines[0].get_xdata().tolist() == [1, 2] and len(accuracy.lines) == 1


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"must have shape \(2, 2\). Received: \(3, 3\)"):
        plot_confusion_matrix(np.eye(3), ["a", "b"])
    with pytest.raises(ValueError, match="values of training"):
        plot_training_curves({"val_loss": [1.0]})
