"""Usage: python tools/train_presets.py PRESET --run RUN --data SHARDS [--minutes M]

Trains a built-in preset with the paper's recipe on a corpus of tools/make_corpus.py, in pieces:
each call goes on where the last one stopped, for M minutes or to the end. The run folder has all
that the next piece needs, on any machine and backend:

  RUN/preset       what keras_axlstm.training.pretrain keeps; at the end, the preset
  RUN/pieces.json  of each piece: machine, steps, clips, hours
  RUN/loss.csv     the loss curve, and RUN/loss.png

The first piece fixes the length, batch and learning rate; later ones need only PRESET and --run,
and take --data if the shards lie elsewhere, with --other-data if they are more or others.
With --expansion-factor or --flip it is a variant to compare the preset with.
"""

import sys
from pathlib import Path

from docstring_parser import docstring_parser

from preset_training.piece import PRESETS, train_piece


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("preset", choices=PRESETS, metavar="PRESET", help=", ".join(PRESETS))
    parser.add_argument("--run", type=Path, required=True, help="the folder of the run")
    parser.add_argument("--data", help="a folder of shards; needed by the first piece")
    parser.add_argument("--minutes", type=float, help="stop after so many (default: at the end)")
    parser.add_argument(
        "--other-data", action="store_true", help="--data has another number of clips than before"
    )
    parser.add_argument("--workers", type=int, help="processes that read (default: threads)")
    parser.add_argument("--checkpoint-every", type=int, help="steps (default: 200)")
    start = parser.add_argument_group("of the whole run, for the first piece")
    start.add_argument("--clips", type=int, help="crops of 2 s to train on (default: by preset)")
    start.add_argument("--batch", type=int, help="crops of a step (default: by preset)")
    start.add_argument("--learning-rate", type=float, help="at its peak (default: by preset)")
    start.add_argument("--precision", help="float32, mixed_bfloat16 (default) or mixed_float16")
    start.add_argument("--seed", type=int, help="default: 0")
    start.add_argument("--initial-preset", help="whose weights it begins with (default: random)")
    start.add_argument("--mask-ratio", type=float, help="share of hidden patches (default: 0.5)")
    start.add_argument(
        "--mask-mode", help="hide single patches (unstructured, default) or whole steps (timestep)"
    )
    start.add_argument(
        "--position-on-masked",
        action="store_true",
        default=None,
        help="hidden patches keep their position, which a transformer needs",
    )
    start.add_argument("--expansion-factor", type=int, help="another one than the preset's")
    start.add_argument("--flip", action="store_true", default=None, help="blocks read in turns")
    start.add_argument(
        "--dynamic-range",
        type=float,
        metavar="DB",
        help="of the spectrograms in training (default: no limit); embeddings have the preset's",
    )
    arguments = vars(parser.parse_args())
    try:
        finished = train_piece(**arguments)
    except (ValueError, FileExistsError, OSError) as error:
        print(f"train_presets.py: {error}", file=sys.stderr)
        return 1
    print("The run is complete." if finished else "The run pauses: call again to go on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
