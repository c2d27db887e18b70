from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib
from keras_axlstm.plots.spectrogram_axis import draw_spectrogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_axlstm.analysis import ClassTimeline


def plot_class_timeline(
    spectrogram: np.ndarray,
    timeline: "ClassTimeline",
    top: int = 8,
    frame_ms: float = 10.0,
    title: str = "",
) -> "Figure":
    """Scores of classes along a clip, under its spectrogram.

    Args:
        spectrogram: `(time, frequency)` log-mel of the clip.
        timeline: from `keras_axlstm.analysis.class_timeline`.
        top: classes that are shown, those with the highest scores anywhere.
        frame_ms: time between two frames of the spectrogram.
        title: heading of the figure.

    Returns:
        A matplotlib figure of two panels with one time axis, for `save_plot`.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: `top` below 1.
    """
    check_matplotlib()
    if top < 1:
        raise ValueError(f"`top` must be at least 1. Received: {top!r}")
    from matplotlib.figure import Figure

    shown = np.argsort(-timeline.scores.max(axis=0), kind="stable")[:top]
    figure = Figure(figsize=(9, 3.4 + 0.22 * len(shown)), layout="constrained")
    figure.suptitle(title)
    heights = [2.2, 0.3 * len(shown) + 0.3]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    figure.colorbar(draw_spectrogram(above, spectrogram, frame_ms), ax=above, label="log-mel")

    seconds = timeline.times_ms / 1000.0
    middles = (seconds[1:] + seconds[:-1]) / 2
    edges = np.concatenate([[0.0], middles, [len(spectrogram) * frame_ms / 1000.0]])
    rows = np.arange(len(shown) + 1) - 0.5
    scores = timeline.scores[:, shown].T
    image = below.pcolormesh(edges, rows, scores, cmap="viridis", vmin=0, vmax=1)
    below.set_yticks(range(len(shown)), [timeline.class_names[i] for i in shown])
    below.invert_yaxis()
    below.set_xlabel("seconds")
    figure.colorbar(image, ax=below, label="score")
    return figure
