"""`keras-axlstm prepare-tasks`: HEAR 2021 tasks from 48 kHz to 16 kHz."""

import argparse
from pathlib import Path
from typing import Any

from keras_axlstm.cli.arguments import positive_integer


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "prepare-tasks",
        help="convert HEAR 2021 tasks at 48 kHz to folders at 16 kHz",
        description="Convert HEAR 2021 tasks, as they are published at 48 kHz "
        "(hear2021-TASK-48000.tar.gz), to task folders at 16 kHz for evaluation. An interrupted "
        "run goes on where it was when it is started again; tasks that are there are kept.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="archives, task folders, or folders with any of them",
    )
    parser.add_argument(
        "target", type=Path, metavar="TARGET", help="the folder for the task folders"
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help="which tasks, such as esc50 or nsynth_pitch-v2.2.3-5h (default: %(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="make tasks again that are there")
    parser.add_argument(
        "--processes",
        type=positive_integer,
        default=1,
        metavar="N",
        help="processes that work at the same time (default: %(default)s)",
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Convert the tasks."""
    from keras_axlstm.evaluation.tasks.prepare import prepare_tasks

    prepared = prepare_tasks(
        arguments.source,
        arguments.target,
        names=None if "all" in arguments.tasks else arguments.tasks,
        processes=arguments.processes,
        overwrite=arguments.overwrite,
        progress=not arguments.no_progress,
    )
    for folder in prepared.kept:
        print(f"kept: {folder} (--overwrite makes it again)")
    for folder in prepared.made:
        print(f"made: {folder}")
    print(
        f"{len(prepared.made)} tasks made, {prepared.clips} clips converted, "
        f"{len(prepared.kept)} tasks kept"
    )
    return 0
