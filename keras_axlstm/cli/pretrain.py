"""`keras-axlstm pretrain`: self-supervised pretraining on a folder of audio."""

import argparse
import dataclasses
import typing
from pathlib import Path
from typing import Any

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.skipped import report_skipped
from keras_axlstm.training.options import Option, choices, value_type
from keras_axlstm.training.pretrain_config import (
    ALTERNATIVES,
    PretrainConfig,
    override,
    read_config,
)

GROUPS = ("data", "model", "training", "output")


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
    groups = {name: parser.add_argument_group(name) for name in GROUPS}
    pairs: dict[str, Any] = {}
    for name, field in _fields().items():
        group = groups[field.metadata["option"].group]
        for pair in ALTERNATIVES:
            if name == pair[0]:
                pairs |= dict.fromkeys(pair, group.add_mutually_exclusive_group())
        _add_option(pairs.get(name, group), name, field)
    return parser


def _fields() -> dict[str, dataclasses.Field]:
    return {field.name: field for field in dataclasses.fields(PretrainConfig)}


def _add_option(group: Any, name: str, field: dataclasses.Field) -> None:
    details: Option = field.metadata["option"]
    hint = typing.get_type_hints(PretrainConfig)[name]
    kind = value_type(hint)
    text = details.help
    if field.default not in (None, dataclasses.MISSING) and kind is not bool:
        text += f" (default: {field.default})"
    # Not given is not the same as the default: it may come from a file.
    arguments: dict[str, Any] = {"help": text.replace("%", "%%"), "default": argparse.SUPPRESS}
    if name == "source":
        arguments["nargs"] = "?"
        group.add_argument(name, metavar=details.metavar, **arguments)
        return
    if kind is bool:
        arguments["action"] = argparse.BooleanOptionalAction
    else:
        arguments["type"] = kind
        if allowed := choices(hint):
            arguments["choices"] = allowed
        else:
            arguments["metavar"] = details.metavar or ("N" if kind is int else "NUMBER")
        if isinstance(details.metavar, tuple):
            arguments["nargs"] = len(details.metavar)
    group.add_argument("--" + name.replace("_", "-"), **arguments)


def run(arguments: argparse.Namespace) -> int:
    """Pretrain and save; 3 if some files were skipped."""
    given = {name: value for name, value in vars(arguments).items() if name in _fields()}
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
