"""Usage: python tools/widen_preset.py NARROW WIDE OUTPUT [--seed N]

Writes a preset of the architecture of WIDE, a built-in preset, that computes what the AxLSTM preset
NARROW does: each channel is copied. To begin a training with:

  python tools/widen_preset.py axlstm_tiny axlstm_small widened
  python tools/train_presets.py axlstm_small --run run --data SHARDS --initial-preset widened
"""

import sys
from pathlib import Path

from docstring_parser import docstring_parser

from preset_training.widen import widen_preset


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("narrow", metavar="NARROW", help="a preset with weights")
    parser.add_argument("wide", metavar="WIDE", help="a built-in preset of a multiple of its width")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="how copies share (default: 0)")
    arguments = vars(parser.parse_args())
    try:
        widen_preset(**arguments)
    except (ValueError, OSError) as error:
        print(f"widen_preset.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
