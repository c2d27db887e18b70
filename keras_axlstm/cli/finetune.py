"""`keras-axlstm finetune`: a classifier from labelled audio files."""

import argparse
from typing import TYPE_CHECKING, Any

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.config_options import add_config_options, given_options
from keras_axlstm.cli.table import format_table
from keras_axlstm.training.finetuning.finetune_config import FinetuneConfig
from keras_axlstm.training.options import check_names

if TYPE_CHECKING:
    from keras_axlstm.training.finetuning.run import FinetuneResult


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments: an option for each field of `FinetuneConfig`."""
    parser = commands.add_parser(
        "finetune",
        help="train a classifier on labelled audio files",
        description="Train a classifier on labelled audio files (wav, flac, ogg, mp3) of any "
        "lengths, from the encoder of a preset. Writes the classifier as a preset, report.json "
        "and, with matplotlib, pictures of the training and of the confusions.",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier output")
    add_config_options(parser, FinetuneConfig, positional="source")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Train, save, print the scores."""
    given = given_options(arguments, FinetuneConfig)
    try:
        check_names(FinetuneConfig, given)
        config = FinetuneConfig(**given)
    except ValueError as error:
        arguments.usage_error(str(error))
    choose_backend()

    from keras_axlstm.training import finetune

    result = finetune(config, overwrite=arguments.overwrite)
    _print_scores(result)
    if result.no_pictures:
        print(f"No pictures. {result.no_pictures}")
    print(f"Saved to {config.output} ({result.report['seconds']:.0f} s of training)")
    print(f"Next: keras-axlstm classify FILES --preset {config.output}")
    return 0


def _print_scores(result: "FinetuneResult") -> None:
    from keras_axlstm.training.finetuning.report import measured_part

    scores = result.report["scores"]
    part = measured_part(scores)
    metric = "average_precision" if result.report["multi_label"] else "accuracy"
    rows = [
        (name, values["files"], _percent(values[metric]))
        for name, values in scores[part]["per_class"].items()
    ]
    print(format_table((f"class ({part})", "files", metric.replace("_", " ")), rows))
    name = "mean_average_precision" if result.report["multi_label"] else "accuracy"
    for part, values in scores.items():
        print(f"{part}: {name.replace('_', ' ')} {_percent(values[name])} of {values['files']}")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
