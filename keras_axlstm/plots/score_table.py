import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_axlstm.evaluation.report import ScoreTable

# In inches.
MODEL_WIDTH, COLUMN_WIDTH, ROW_HEIGHT, LINE_HEIGHT = 2.2, 0.95, 0.28, 0.12
MARGIN = 0.05
LETTERS_PER_INCH = 19


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
    header = [name.replace("_", "\n") for name in header]
    width = MODEL_WIDTH + COLUMN_WIDTH * (len(header) - 1)
    caption = textwrap.wrap(table.caption(), int(LETTERS_PER_INCH * width))
    caption_height = LINE_HEIGHT * len(caption) + 2 * MARGIN
    height = ROW_HEIGHT * (len(lines) + 2) + caption_height + MARGIN
    figure = Figure(figsize=(width + 2 * MARGIN, height), dpi=160)
    axis = figure.add_axes(
        (
            MARGIN / figure.get_figwidth(),
            caption_height / height,
            width / figure.get_figwidth(),
            1 - (caption_height + MARGIN) / height,
        )
    )
    axis.set_axis_off()
    greens = colormaps["Greens"]
    drawn = axis.table(
        cellText=[header, *lines],
        cellColours=[["white"] * len(header)]
        + [
            ["white" if math.isnan(shade) else greens(0.55 * shade) for shade in row]
            for row in _shades(table, len(header))
        ],
        colWidths=[MODEL_WIDTH, *[COLUMN_WIDTH] * (len(header) - 1)],
        cellLoc="center",
        bbox=Bbox.unit(),
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(8)
    for (row, column), cell in drawn.get_celld().items():
        cell.set_edgecolor("0.8")
        if row == 0:
            cell.set_height(2 * cell.get_height())
            cell.set_text_props(weight="bold")
        if column == 0:
            cell.set_text_props(ha="left")
    figure.text(
        MARGIN / figure.get_figwidth(), MARGIN / height, "\n".join(caption), fontsize=6, va="bottom"
    )
    return figure


def _shades(table: "ScoreTable", columns: int) -> np.ndarray:
    """0 for the lowest to 1 for the highest of a column, NaN where there is no number."""
    values = np.full((len(table.rows), columns), np.nan)
    for row, scores in zip(values, table.rows, strict=True):
        for column, task in enumerate(table.tasks, start=1):
            if task in scores.scores:
                row[column] = scores.scores[task].mean
        for column, score in enumerate((scores.overall, scores.on_paper_scale), start=1):
            if score is not None:
                row[len(table.tasks) + column] = score.mean
    low = np.min(np.where(np.isnan(values), np.inf, values), axis=0, initial=np.inf)
    high = np.max(np.where(np.isnan(values), -np.inf, values), axis=0, initial=-np.inf)
    return (values - low) / np.where(high > low, high - low, np.nan)
