"""Programs that PyTorch writes."""

from pathlib import Path
from typing import Any

import torch

# Sizes that stay open are traced with an example of several clips and windows.
EXAMPLE_CLIPS = 2
EXAMPLE_WINDOWS = 3


def export_with_torch(graph: Any, output: Path, shape: tuple[int | None, ...]) -> None:
    """Write a `WaveformModel` for waveforms of `shape`, None = any size, as a `.pt2` file."""
    clips, samples = shape
    if clips is None or samples is None:
        window = graph.encoder.spectrogram_shape[0] * graph.log_mel.hop_length
        clips, samples = EXAMPLE_CLIPS, EXAMPLE_WINDOWS * window
    sizes = {axis: torch.export.Dim.DYNAMIC for axis in (0, 1) if shape[axis] is None}
    with torch.no_grad():
        program = torch.export.export(
            graph.eval(),
            (torch.zeros((clips, samples)),),
            # Of `forward(*args)`, which takes the waveform as its only argument.
            dynamic_shapes=[(sizes,)] if sizes else None,
            strict=False,
        )
    torch.export.save(program, output)
