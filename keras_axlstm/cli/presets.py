"""`keras-axlstm presets`: the built-in presets."""

import argparse
from typing import Any

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.table import format_table


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    return commands.add_parser(
        "presets",
        help="list the built-in presets",
        description="List the built-in presets, their sizes, and whether they have weights.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    choose_backend()

    import json

    from keras_axlstm.models.presets import PRESETS_FOLDER, REGISTERED, has_weights
    return 0
