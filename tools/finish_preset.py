"""Usage: python tools/finish_preset.py PRESET --run RUN --corpus SHARDS [SHARDS ...]
           [--scores FILE]

Writes the weights of a finished run of tools/train_presets.py into the folder of its preset in the
package: float16, in files below 50 MB, with checksums, the loss curve and a card (README.md).
Where a run began with the weights of another, SHARDS is that of both, or of each in their order.
--scores is Markdown for the card, a table of `keras-axlstm evaluate` and the command that made it.
"""

import sys
from pathlib import Path

from docstring_parser import docstring_parser

from preset_training.finish import finish_preset
from preset_training.piece import PRESETS


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("preset", choices=PRESETS, metavar="PRESET", help=", ".join(PRESETS))
    parser.add_argument("--run", type=Path, required=True, help="the folder of the run")
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        required=True,
        metavar="SHARDS",
        help="the shards it was trained on",
    )
    parser.add_argument("--scores", type=Path, help="Markdown for the card")
    arguments = vars(parser.parse_args())
    try:
        folder = finish_preset(**arguments)
    except (ValueError, OSError) as error:
        print(f"finish_preset.py: {error}", file=sys.stderr)
        return 1
    for file in sorted(folder.iterdir()):
        print(f"{file}  {file.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
