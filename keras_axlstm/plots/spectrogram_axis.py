"""A spectrogram on an axis of a figure, in seconds."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


def draw_spectrogram(axis: "Axes", spectrogram: np.ndarray, frame_ms: float) -> "AxesImage":
    """Draw `(time, frequency)` log-mel from second 0 on."""
    # On a scale without the outliers.
    lowest, highest = np.quantile(spectrogram, (0.005, 0.995))
    time, bands = spectrogram.shape
    axis.set_ylabel("mel band")
    return axis.imshow(
        spectrogram.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=lowest,
        vmax=highest,
        extent=(0.0, time * frame_ms / 1000.0, -0.5, bands - 0.5),
    )
