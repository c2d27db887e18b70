"""A spectrogram on an axis of a figure."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


def draw_spectrogram(axis: "Axes", spectrogram: np.ndarray, frame_ms: float) -> "AxesImage":
    """Draw `(time, frequency)` log-mel from second 0 on."""
    time, bands = spectrogram.shape
    extent = (0.0, time * frame_ms / 1000.0, -0.5, bands - 0.5)
    return draw_bands(axis, spectrogram, color_limits(spectrogram), extent)


def color_limits(spectrogram: np.ndarray) -> tuple[float, float]:
    """A scale without the outliers."""
    lowest, highest = np.quantile(spectrogram, (0.005, 0.995))
    return float(lowest), float(highest)


def draw_bands(
    axis: "Axes",
    spectrogram: np.ndarray,
    limits: tuple[float, float],
    extent: tuple[float, float, float, float] | None = None,
) -> "AxesImage":
    """Draw `(time, frequency)` values, by default over the numbers of their frames."""
    axis.set_ylabel("mel band")
    return axis.imshow(
        spectrogram.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=limits[0],
        vmax=limits[1],
        extent=extent,
    )
