from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib
from keras_axlstm.plots.spectrogram_axis import color_limits, draw_bands

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_reconstruction(
    spectrogram: np.ndarray,
    hidden: np.ndarray,
    reconstruction: np.ndarray,
    patch_size: tuple[int, int],
    title: str = "",
) -> "Figure":
    """A spectrogram, what the model saw of it, and what it made of the rest.

    Args:
        spectrogram: `(time, frequency)`, normalised log-mel.
        hidden: `(patches,)`, 1 = hidden.
        reconstruction: `(patches, patch_time * patch_frequency)`, prediction of every patch; those
            of hidden patches are shown, among the visible ones.
        patch_size: `(time, frequency)` of a patch.
        title: heading of the figure.

    Returns:
        A matplotlib figure of three panels, for `save_plot`.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: shapes that do not belong together.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    hidden_bins = _bins(np.repeat(hidden[:, None], np.prod(patch_size), 1), spectrogram, patch_size)
    predicted = _bins(reconstruction, spectrogram, patch_size)
    panels = {
        "Spectrogram": spectrogram,
        "Visible to the model": np.where(hidden_bins > 0, np.nan, spectrogram),
        "Reconstruction": np.where(hidden_bins > 0, predicted, spectrogram),
    }
    figure = Figure(figsize=(8, 6), layout="constrained")
    figure.suptitle(title)
    limits = color_limits(spectrogram)  # one scale for all
    axes = figure.subplots(3, 1, sharex=True, sharey=True)
    for axis, (name, values) in zip(axes, panels.items(), strict=True):
        axis.set_facecolor("0.8")
        image = draw_bands(axis, values, limits)
        axis.set_title(name, loc="left", fontsize="medium")
    axes[-1].set_xlabel("frame")
    figure.colorbar(image, ax=axes, label="normalised log-mel")
    return figure


def _bins(patches: np.ndarray, spectrogram: np.ndarray, patch_size: tuple[int, int]) -> np.ndarray:
    """Flattened patches back in their places: `(time, frequency)`."""
    (time, bands), (patch_time, patch_bands) = spectrogram.shape, patch_size
    expected = (time // patch_time * (bands // patch_bands), patch_time * patch_bands)
    if patches.shape != expected or time % patch_time or bands % patch_bands:
        raise ValueError(
            f"Patches of {tuple(patch_size)} in a spectrogram of {spectrogram.shape} have shape "
            f"{expected}. Received: {patches.shape}"
        )
    grid = patches.reshape(time // patch_time, bands // patch_bands, patch_time, patch_bands)
    return grid.transpose(0, 2, 1, 3).reshape(time, bands)
