from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib
from keras_axlstm.plots.spectrogram_axis import draw_spectrogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_axlstm.analysis import BlockMemory


def plot_block_memory(
    spectrogram: np.ndarray,
    memory: "BlockMemory",
    step_ms: float = 40.0,
    frame_ms: float = 10.0,
    title: str = "",
) -> "Figure":
    """Forget gates of a block's heads and how far back each remembers, under the spectrogram.

    Args:
        spectrogram: `(time, frequency)` log-mel that the block was given.
        memory: from `keras_axlstm.analysis.block_memory`.
        step_ms: time between two time steps of the patch grid.
        frame_ms: time between two frames of the spectrogram.
        title: heading of the figure.

    Returns:
        A matplotlib figure of three panels with one time axis, for `save_plot`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    figure.suptitle(title)
    top, *axes = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1.2, 1.2])
    figure.colorbar(draw_spectrogram(top, spectrogram, frame_ms), ax=top, label="log-mel")
    heads, steps = memory.forget_gate.shape
    extent = (0.0, steps * step_ms / 1000.0, heads - 0.5, -0.5)
    maps = (
        ("forget gate", memory.forget_gate, 1.0),
        ("memory, s", memory.memory_steps * step_ms / 1000.0, None),
    )
    for axis, (label, values, highest) in zip(axes, maps, strict=True):
        image = axis.imshow(
            values,
            aspect="auto",
            interpolation="nearest",
            cmap="viridis",
            # A gate near 1 is what matters: its distance from 1 sets the length of the memory.
            vmin=min(0.9, float(values.min())) if highest else 0.0,
            vmax=highest,
            extent=extent,
        )
        axis.set_yticks(range(heads))
        axis.set_ylabel("head")
        figure.colorbar(image, ax=axis, label=label)
    axes[-1].set_xlabel("seconds")
    return figure
