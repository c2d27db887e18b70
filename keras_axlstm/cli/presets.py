"""`keras-axlstm presets`: the built-in presets, and those that were installed."""

import argparse
import json
from typing import Any

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.table import format_table

# With reconstruction head and mask token, as the paper counts. Here, because counting them would
# build six models.
PARAMETERS = {
    "axlstm_tiny": 4_343_584,
    "axlstm_small": 16_723_360,
    "axlstm_base": 65_591_968,
    "ssast_tiny": 5_401_024,
    "ssast_small": 21_492_544,
    "ssast_base": 85_747_264,
}
WITHOUT_WEIGHTS = """\
A preset without weights is an architecture. To get weights, convert a checkpoint of the paper's
authors:    keras-axlstm convert CHECKPOINT --install NAME
or pretrain on a folder of audio:    keras-axlstm pretrain DIR --output PRESET_DIR
and use NAME, or the folder, in place of the preset's name."""


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    return commands.add_parser(
        "presets",
        help="list the presets",
        description="List the built-in presets, their sizes, and whether they have weights; and "
        "those installed with `convert --install`.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    choose_backend()

    from keras_axlstm.models.installed_presets import (
        installed_presets_folder,
        register_installed_presets,
    )
    from keras_axlstm.models.presets import PRESETS_FOLDER, has_weights

    rows = []
    for name, parameters in PARAMETERS.items():
        config = json.loads((PRESETS_FOLDER / name / "config.json").read_text(encoding="utf-8"))
        sizes = config["config"]
        weights = "yes" if has_weights(name) else "no"
        rows.append((name, f"{parameters:,}", sizes["hidden_dim"], sizes["num_layers"], weights))
    print(format_table(("preset", "parameters", "hidden", "layers", "weights"), rows))
    installed = register_installed_presets()
    if installed:
        print(f"\nInstalled in {installed_presets_folder()}:", *installed, sep="\n")
    if any(row[-1] == "no" for row in rows):
        print(f"\n{WITHOUT_WEIGHTS}")
    return 0
