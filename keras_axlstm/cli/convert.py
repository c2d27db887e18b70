"""`keras-axlstm convert`: a preset from a checkpoint of the authors."""

import argparse
from pathlib import Path
from typing import Any

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.backend import choose_backend


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "convert",
        help="make a preset from a PyTorch checkpoint of the paper's authors",
        description="Make a preset from a PyTorch checkpoint of the paper's authors (AxLSTM or "
        "SSAST). The file is read without running any code in it.",
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pth file")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--output", type=Path, metavar="PRESET_DIR", help="the folder to write")
    target.add_argument(
        "--install",
        metavar="NAME",
        help="keep the preset in Keras' home folder, so that from_preset(NAME) finds it from now "
        "on, such as axlstm_tiny_audioset",
    )
    parser.add_argument(
        "--spectrogram-shape",
        type=positive_integer,
        nargs=2,
        default=(200, 80),
        metavar=("FRAMES", "BANDS"),
        help="log-mel frames and bands it was trained on (default: 200 80)",
    )
    parser.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="every block reads forwards (default: every second one reads backwards, as in the "
        "released checkpoints)",
    )
    parser.add_argument(
        "--num-heads",
        type=positive_integer,
        metavar="N",
        help="attention heads of an SSAST (default: width / 64)",
    )
    parser.add_argument(
        "--normalization",
        choices=("none", "clip"),
        default="none",
        help="of the log-mel spectrogram in embedding (default: none, as in the authors' code)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Convert the checkpoint."""
    from keras_axlstm.files import write_aside

    choose_backend()
    if arguments.install is None:
        output, preset = arguments.output, str(arguments.output)
    else:
        from keras_axlstm.models.installed_presets import check_installable

        output, preset = check_installable(arguments.install), arguments.install
    with write_aside(output, overwrite=arguments.overwrite) as folder:
        from keras_axlstm.conversion import load_official_checkpoint
        from keras_axlstm.models.save_preset import save_preset

        heads = {} if arguments.num_heads is None else {"num_heads": arguments.num_heads}
        model = load_official_checkpoint(
            arguments.checkpoint,
            spectrogram_shape=tuple(arguments.spectrogram_shape),
            flip=arguments.flip,
            **heads,
        )
        save_preset(model, folder, normalization=arguments.normalization)
    encoder = model.encoder
    print(
        f"{type(encoder).__name__}: {encoder.num_layers} layers, width {encoder.hidden_dim}, "
        f"patches {encoder.patch_size}, {model.count_params():,} parameters, written to "
        f"{output}"
    )
    print(f"Next: keras-axlstm embed FILES --preset {preset}")
    return 0
