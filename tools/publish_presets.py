"""Upload preset folders to a hub: see --help.

python tools/publish_presets.py keras_axlstm/presets/axlstm_tiny --hub hf://ORGANISATION --dry-run
"""

import argparse
import sys
from pathlib import Path

import keras_hub

from keras_axlstm.models import SpectrogramEncoder
from keras_axlstm.models.checksums import CHECKSUMS_FILE

CARD = "README.md"
HUBS = ("hf://", "kaggle://")
DESCRIPTION = """\
Upload preset folders to the Hugging Face Hub or Kaggle, under the name of the folder. Every folder
is checked before the first is uploaded: its card, its checksums, and that its encoder loads.
Log in first, with `hf auth login` or as kagglehub says."""


def main(argv: list[str]) -> int:
    """Check all folders, then upload them; 1 if one is not fit to be published."""
    options = _parse(argv)
    problems = [f"{folder}: {why}" for folder in options.presets for why in unfit(folder)]
    if problems:
        print("Nothing was uploaded.", *problems, sep="\n", file=sys.stderr)
        return 1
    for folder in options.presets:
        uri = f"{options.hub.rstrip('/')}/{folder.resolve().name}"
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        print(f"{folder} -> {uri}: {len(files)} files, {total(files):,} bytes")
        for file in files:
            print(f"    {file.relative_to(folder)}  {file.stat().st_size:,} bytes")
        if not options.dry_run:
            keras_hub.upload_preset(uri, str(folder))
    return 0


def unfit(folder: Path) -> list[str]:
    """Every reason why a folder should not be published."""
    missing = [
        f"expected a file {name}, {what}. Found: none"
        for name, what in ((CARD, "the model card"), (CHECKSUMS_FILE, "of the weights"))
        if not (folder / name).is_file()
    ]
    try:
        SpectrogramEncoder.from_preset(str(folder))
    except (OSError, ValueError) as error:
        return [*missing, str(error)]
    return missing


def total(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="publish_presets.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("presets", nargs="+", type=Path, metavar="PRESET_DIR")
    parser.add_argument(
        "--hub",
        required=True,
        metavar="URI",
        help="hf://ORGANISATION or kaggle://USER/MODEL/keras",
    )
    parser.add_argument("--dry-run", action="store_true", help="check and list, upload nothing")
    options = parser.parse_args(argv)
    if not options.hub.startswith(HUBS):
        parser.error(f"--hub must begin with one of {HUBS}. Received: {options.hub}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
