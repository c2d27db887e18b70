"""`keras-axlstm export`: a model as one file for another runtime."""

import argparse
from pathlib import Path
from typing import Any

from keras_axlstm.cli.arguments import positive_number
from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.export.formats import FORMATS, KINDS


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "export",
        help="write a model as one file for another runtime, from the waveform on",
        description="Write a model as one graph, from the waveform to the embedding or the scores, "
        "that runs without Keras: SavedModel, ONNX, LiteRT, OpenVINO or PyTorch.",
    )
    parser.add_argument("preset", metavar="PRESET_OR_DIR", help="preset name or folder")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="what to write")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        help="saved_model (a folder), onnx (.onnx), litert (.tflite), openvino (.xml, with .bin "
        "beside it) or torch (.pt2)",
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="scene",
        help="scene: one vector a clip; timestamps: one every 40 ms; scores: of the classes of a "
        "classifier (default: %(default)s)",
    )
    parser.add_argument(
        "--one-pass", action="store_true", help="read a clip whole, not in windows of 2 s"
    )
    parser.add_argument(
        "--seconds",
        type=positive_number,
        metavar="S",
        help="one clip of this length (default: any number of any length)",
    )
    parser.add_argument(
        "--int8", action="store_true", help="weights in 8 bits, with --format litert"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Export the model."""
    if arguments.one_pass and arguments.kind == "scores":
        arguments.usage_error("--one-pass goes with embeddings: a classifier always reads so")
    choose_backend()

    from keras_axlstm.export import export_model

    graph = export_model(
        arguments.preset,
        arguments.output,
        arguments.format,
        kind=arguments.kind,
        seconds=arguments.seconds,
        int8=arguments.int8,
        overwrite=arguments.overwrite,
        **({"one_pass": True} if arguments.one_pass else {}),
    )
    clips = "(clips, samples)" if arguments.seconds is None else f"of {arguments.seconds:g} s"
    print(
        f"{arguments.output}: float32 waveforms {clips} at {graph.sampling_rate} Hz in, "
        f"{arguments.kind} out"
    )
    return 0
