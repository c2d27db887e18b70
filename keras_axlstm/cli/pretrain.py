"""`keras-axlstm pretrain`: self-supervised pretraining on a folder of audio."""

import argparse
from pathlib import Path
from typing import Any

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.config_options import add_config_options, given_options
from keras_axlstm.cli.skipped import report_skipped
from keras_axlstm.training.pretrain_config import (
    ALTERNATIVES,
    PretrainConfig,
    override,
    read_config,
)


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments: an option for each field of `PretrainConfig`."""
    parser = commands.add_parser(
        "pretrain",
        help="pretrain an encoder on a folder of audio",
        description="Pretrain an encoder on a folder of audio files (wav, flac, ogg, mp3): hide "
        "half of the patches of random 2 s crops, and learn to fill them in. The defaults are the "
        "paper's recipe. Writes a preset with the encoder, the reconstruction head, history.csv "
        "and pretrain.toml, the configuration.",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML or JSON file of options, for example the pretrain.toml of an earlier run; "
        "options given here override it",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume",
        action="store_true",
        help="go on with the unfinished run in the output folder, with its configuration; begin "
        "one if there is none",
    )
    start.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier output, or drop an unfinished run",
    )
    add_config_options(parser, PretrainConfig, positional="source", alternatives=ALTERNATIVES)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Pretrain and save; 3 if some files were skipped."""
    given = given_options(arguments, PretrainConfig)
    try:
        values = override(read_config(arguments.config) if arguments.config else {}, given)
        if arguments.resume and "output" in values:
            from keras_axlstm.training.run_folder import unfinished_config

            values = override(unfinished_config(values["output"]), values)
        config = PretrainConfig.from_dict(values)
    except (ValueError, OSError) as error:
        arguments.usage_error(str(error))
    choose_backend()

    from keras_axlstm.training import pretrain

    result = pretrain(config, resume=arguments.resume, overwrite=arguments.overwrite)
    first, last = result.history[0], result.history[-1]
    print(
        f"Loss {first['loss']:.4f} at step {first['step']:.0f}, {last['loss']:.4f} at step "
        f"{last['step']:.0f} ({result.seconds:.0f} s)"
    )
    print(f"Saved to {config.output}")
    print(
        f"Next: keras-axlstm embed {config.source} --preset {config.output} --output embeddings.npz"
    )
    return report_skipped(result.skipped, done=result.clips - len(result.skipped))
