"""Files that PyTorch writes, all from one exported program."""

from pathlib import Path
from typing import Any

import torch

# Sizes that stay open are traced with an example of several clips and windows.
EXAMPLE_CLIPS = 2
EXAMPLE_WINDOWS = 3


def export_with_torch(
    graph: Any, output: Path, weights: Path | None, format: str, shape: tuple[int | None, ...]
) -> None:
    """Write a `WaveformModel`; see `export_model`."""
    clips, samples = shape
    if samples is None:
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
    if format == "torch":
        torch.export.save(program, output)
    else:
        onnx_file = output if format == "onnx" else output.with_suffix(".onnx")
        try:
            onnx_program = torch.onnx.export(
                program, input_names=["waveform"], output_names=["output"], verbose=False
            )
            onnx_program.save(onnx_file, external_data=False)
            if format == "openvino":
                _to_openvino(onnx_file, output, weights)
        finally:
            if format == "openvino":
                onnx_file.unlink(missing_ok=True)


def _to_openvino(onnx_file: Path, output: Path, weights: Path | None) -> None:
    # OpenVINO reads ONNX whole, of PyTorch's programs not every operation.
    import openvino

    openvino.serialize(openvino.convert_model(onnx_file), output, weights)
