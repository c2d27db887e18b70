"""Usage: python tools/make_corpus.py OUT --hours H [--seed S] [--recordings CLONES] [--gated SHARE]
           [--counts SPEECH MUSIC PROCEDURAL [RECORDINGS]]

Makes a corpus for pretraining from speech and music synthesizers and from code, as shards of
log-mel spectrograms that `keras-axlstm pretrain` reads:

  OUT/hour-00000 ...   an hour each: 900 clips of 4 s
  OUT/5h               all of the first 5 hours as one folder of shards, with a README.md

Each hour follows from the seed, its number and the counts alone, so that a longer corpus is the
shorter one and more: give a greater H to go on, while others read what is there. A run that was
killed goes on where it stopped. The voices, instruments and seeds that tools/make_tasks.py reserves
for evaluation are left out.

The backend of Keras renders what is made by code: KERAS_BACKEND=jax, tensorflow or torch, on a GPU
if it sees one. On Debian: apt-get install espeak-ng fluidsynth fluid-soundfont-gm, and for more
voices flite, festival and its packages festvox-*. Without any: --counts 0 0 50.
"""

import sys
from pathlib import Path

from docstring_parser import docstring_parser

from corpus_making.volumes import (
    BLOCK,
    DEFAULT_COUNTS,
    DEFAULT_COUNTS_WITH_RECORDINGS,
    make_hours,
)


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the corpus")
    parser.add_argument(
        "--hours", type=int, required=True, metavar="H", help="hours from the first"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default: %(default)s")
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="CLONES",
        help="a folder with clones of the repositories of recordings",
    )
    parser.add_argument(
        "--counts",
        type=int,
        nargs="+",
        metavar="CLIPS",
        help=f"of each {BLOCK} clips, by source (default: {_spaced(DEFAULT_COUNTS)}; with "
        f"--recordings {_spaced(DEFAULT_COUNTS_WITH_RECORDINGS)})",
    )
    parser.add_argument(
        "--gated",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the clips that pass a noise gate: digital silence in pauses (default: none)",
    )
    arguments = parser.parse_args()
    try:
        made = make_hours(
            arguments.out,
            arguments.hours,
            arguments.seed,
            tuple(arguments.counts) if arguments.counts else None,
            arguments.recordings,
            arguments.gated,
            report=print,
        )
    except (ValueError, FileExistsError) as error:
        print(f"make_corpus.py: {error}", file=sys.stderr)
        return 1
    print(f"Next: python tools/train_presets.py axlstm_tiny --data {made} --run runs/axlstm_tiny")
    return 0


def _spaced(counts: tuple[int, ...]) -> str:
    return " ".join(map(str, counts))


if __name__ == "__main__":
    sys.exit(main())
