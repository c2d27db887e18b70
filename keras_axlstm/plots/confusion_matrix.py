from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In inches: a cell, and the room of the names.
_CELL, _MARGIN, _LETTER = 0.32, 1.3, 0.07
# More classes than this get smaller cells without numbers.
_MOST_WITH_NUMBERS = 40
_SMALLEST_CELL = 0.12


def plot_confusion_matrix(
    confusion: np.ndarray, class_names: Sequence[str], title: str = ""
) -> "Figure":
    """How often clips of a class (down) were taken for another (across).

    Args:
        confusion: counts `(classes, classes)`, true classes down.
        class_names: one a class.
        title: heading of the figure.

    Returns:
        A matplotlib figure, for `save_plot`. The colour is the part of its row.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: shapes that do not belong together.

    Example:

    ```python
    import numpy as np

    from keras_axlstm.plots import plot_confusion_matrix, save_plot

    save_plot(plot_confusion_matrix(np.array([[9, 1], [2, 8]]), ["rain", "wind"]), "confusion.png")
    ```
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    confusion = np.asarray(confusion)
    count = len(class_names)
    if confusion.shape != (count, count):
        raise ValueError(
            f"`confusion` of {count} classes must have shape ({count}, {count}). Received: "
            f"{confusion.shape}"
        )
    with_numbers = count <= _MOST_WITH_NUMBERS
    cell = _CELL if with_numbers else _SMALLEST_CELL
    side = cell * count + _MARGIN + _LETTER * max(map(len, class_names))
    figure = Figure(figsize=(max(side, 3.0) + 0.8, max(side, 3.0)), layout="constrained")
    axis = figure.add_subplot()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [name.replace("$", r"\$") for name in class_names]
    size = "small" if with_numbers else 5
    axis.set_xticks(range(count), names, rotation=90, fontsize=size)
    axis.set_yticks(range(count), names, fontsize=size)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.set_title(title, fontsize="medium")
    if with_numbers:
        for row, column in np.argwhere(confusion):
            axis.text(
                column,
                row,
                str(confusion[row, column]),
                ha="center",
                va="center",
                fontsize="x-small",
                color="white" if shares[row, column] > 0.5 else "black",
            )
    figure.colorbar(image, ax=axis, shrink=0.7, label="part of the true class")
    return figure
