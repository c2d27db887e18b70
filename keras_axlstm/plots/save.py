import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_plot(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, complete or not at all. Missing parent folders are made.

    Args:
        figure: what a function of `keras_axlstm.plots` returned.
        path: of the file; an earlier one is replaced.

    Example:

    ```python
    import numpy as np

    from keras_axlstm.plots import plot_reconstruction, save_plot

    figure = plot_reconstruction(np.zeros((8, 4)), np.zeros(4), np.zeros((4, 8)), (4, 2))
    save_plot(figure, "reconstruction.png")
    ```
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        figure.savefig(unfinished, format="png")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_matplotlib() -> None:
    """Raise ImportError, saying what to install, if nothing can be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install 'keras-axlstm[plots]'") from error
