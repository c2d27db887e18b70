from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_axlstm.plots.save import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VALIDATION = "val_"


def plot_training_curves(history: Mapping[str, Sequence[float]], title: str = "") -> "Figure":
    """Loss and metrics by epoch, of training and validation: a panel each.

    Args:
        history: values of each epoch by name, as `fit` gives them; those of validation begin with
            `val_`.
        title: heading of the figure.

    Returns:
        A matplotlib figure, for `save_plot`.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: an empty history.

    Example:

    ```python
    from keras_axlstm.plots import plot_training_curves, save_plot

    history = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}
    save_plot(plot_training_curves(history), "curves.png")
    ```
    """
    check_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    names = [name for name in history if not name.startswith(_VALIDATION)]
    names.sort(key=lambda name: name != "loss")
    if not names:
        raise ValueError(f"`history` must hold values of training. Received: {list(history)}")
    figure = Figure(figsize=(4.5 * len(names), 3.2), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for key, label in ((name, "training"), (_VALIDATION + name, "validation")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                axis.plot(epochs, history[key], marker=".", label=label)
        axis.set_xlabel("epoch")
        axis.set_ylabel(name.replace("_", " "))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    return figure
