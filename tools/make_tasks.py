"""Usage: python tools/make_tasks.py OUT [--tasks NAME ...] [--clips N] [--seed S] [--processes P]

Makes ten small tasks in the format of HEAR 2021, modelled on the tasks of the paper's Table 1, from
speech and music synthesizers and from code:

  keyword_spotting        12 classes, train/valid/test   (SC-5h)   espeak-ng
  language_identification 10 classes, train/valid/test   (VL)      espeak-ng
  speaker_count           10 classes, train/valid/test   (LC)      espeak-ng
  emotion                  6 classes, train/valid/test   (CD)      espeak-ng
  pitch                   88 classes, train/valid/test   (NS-5h)   fluidsynth
  percussion               4 classes, five folds         (BO)      code
  stroke                  10 classes, five folds         (Mri-S)   code
  tonic                    6 classes, five folds         (Mri-T)   code
  environment             50 classes, five folds         (E50)     code
  scenes                  24 labels,  train/valid/test   (F50K)    code

Speakers, instruments, rooms and the seeds of all parameters are disjoint between splits
(task_making/voices.py lists them). The same arguments and versions of the synthesizers give the
same bytes. On Debian: apt-get install espeak-ng fluidsynth fluid-soundfont-gm
"""

import sys
from pathlib import Path

from docstring_parser import docstring_parser

from task_making.recipes import RECIPES
from task_making.synthesizers import missing_synthesizers
from task_making.write import write_task


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder for the task folders")
    parser.add_argument(
        "--tasks", nargs="+", choices=RECIPES, default=list(RECIPES), metavar="NAME"
    )
    parser.add_argument("--clips", type=int, help="of each task (default: 720 to 1000, by task)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--processes", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--overwrite", action="store_true", help="replace tasks that are there")
    arguments = parser.parse_args()
    if arguments.processes < 1:
        parser.error(f"--processes: expected a positive integer, received {arguments.processes}")
    if arguments.seed < 0:
        parser.error(f"--seed: expected an integer of 0 or more, received {arguments.seed}")

    recipes = [RECIPES[name] for name in dict.fromkeys(arguments.tasks)]
    problems = missing_synthesizers({recipe.synthesizer for recipe in recipes} - {""})
    if arguments.clips is not None:
        problems += [
            f"{recipe.name} needs at least {recipe.least_clips} clips, received {arguments.clips}"
            for recipe in recipes
            if arguments.clips < recipe.least_clips
        ]
    there = [recipe.folder for recipe in recipes if (arguments.out / recipe.folder).exists()]
    if there and not arguments.overwrite:
        problems.append(f"{', '.join(there)}: there already in {arguments.out}; see --overwrite")
    if problems:
        print(*(f"make_tasks.py: {problem}" for problem in problems), sep="\n", file=sys.stderr)
        return 1
    for recipe in recipes:
        made = write_task(
            recipe,
            arguments.out,
            clips=arguments.clips or recipe.clips,
            seed=arguments.seed,
            processes=arguments.processes,
            overwrite=arguments.overwrite,
        )
        print(f"{recipe.folder}: {made} clips of {recipe.seconds:g} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
