import math
from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_axlstm.evaluation.report import ScoreTable


def plot_score_table(table: "ScoreTable") -> "Figure":
    """A table of models and tasks as a picture: the better in its column, the greener a cell.

    Args:
        table: what `keras-axlstm evaluate` shows.

    Returns:
        A matplotlib figure, for `save_plot`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    header, lines = table.cells()
    figure = Figure(figsize=(2.6 + 1.05 * (len(header) - 1), 1.1 + 0.32 * len(lines)), dpi=160)
    figure.set_layout_engine("none")
    axis = figure.add_axes((0.01, 0.14, 0.98, 0.85))
    axis.set_axis_off()
    shades = _shades(table, len(header))
    greens = colormaps["Greens"]
    colours = [
        ["white" if math.isnan(shade) else greens(0.55 * shade) for shade in row] for row in shades
    ]
    drawn = axis.table(
        cellText=lines,
        colLabels=header,
        cellColours=colours,
        colWidths=[2.6, *[1.05] * (len(header) - 1)],
        cellLoc="center",
        bbox=Bbox.unit(),
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(8)
    for (row, column), cell in drawn.get_celld().items():
        cell.set_edgecolor("0.8")
        if row == 0:
            cell.set_text_props(weight="bold")
        if column == 0:
            cell.set_text_props(ha="left")
    figure.text(0.01, 0.02, _wrapped(table.caption(), len(header)), fontsize=6, va="bottom")
    return figure


def _shades(table: "ScoreTable", columns: int) -> np.ndarray:
    """0 for the lowest to 1 for the highest of a column, NaN where there is no number."""
    values = np.full((len(table.rows), columns), np.nan)
    for row, scores in zip(values, table.rows, strict=True):
        for column, task in enumerate(table.tasks, start=1):
            if task in scores.scores:
                row[column] = scores.scores[task].mean
        for column, score in enumerate((scores.overall, scores.on_paper_scale)):
            if score is not None:
                row[1 + len(table.tasks) + column] = score.mean
    low, high = (
        np.array([pick(column[~np.isnan(column)], initial=start) for column in values.T])
        for pick, start in ((np.min, np.inf), (np.max, -np.inf))
    )
    spread = np.where(high > low, high - low, np.nan)
    return (values - low) / spread


def _wrapped(text: str, columns: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, 24 * columns + 30))
