"""Usage: python tools/linear_probe.py TASK [TASK ...] --model MODEL [MODEL ...] [--cache DIR]

Accuracy of a logistic regression on the standardised embeddings of a clip (scikit-learn's
StandardScaler and LogisticRegression with C = 1), in percent: of every fold in turn with the others
to learn from, or of the split test with the rest. TASK is a folder in the format of HEAR 2021 with
one label a clip, MODEL what `keras-axlstm evaluate` takes. A quick second opinion: it has no seeds
and nothing to choose. Embeddings are kept in DIR (default: embeddings).
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from docstring_parser import docstring_parser

if TYPE_CHECKING:
    from keras_axlstm.evaluation.models import EvaluationModel
    from keras_axlstm.evaluation.tasks import Task

ITERATIONS = 2000


def main() -> int:
    parser = docstring_parser(__doc__)
    parser.add_argument("tasks", nargs="+", type=Path, metavar="TASK")
    parser.add_argument("--model", nargs="+", required=True, metavar="MODEL")
    parser.add_argument("--cache", type=Path, default=Path("embeddings"), metavar="DIR")
    arguments = parser.parse_args()

    from keras_axlstm.evaluation.models import open_model
    from keras_axlstm.evaluation.tasks import read_task

    try:
        tasks = [_single_label(read_task(folder)) for folder in arguments.tasks]
        for spec in arguments.model:
            model = open_model(spec)
            for task in tasks:
                scores = accuracies(model, task, arguments.cache)
                folds = " ".join(f"{score:.1f}" for score in scores)
                print(f"{spec}  {task.folder.name}  {np.mean(scores):.1f}  ({folds})", flush=True)
    except (ValueError, OSError, ImportError) as error:
        print(f"linear_probe.py: {error}", file=sys.stderr)
        return 1
    return 0


def accuracies(model: "EvaluationModel", task: "Task", cache: Path) -> list[float]:
    """Percent right, of every fold or of the split test."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from keras_axlstm.evaluation.cache import embed_task

    embeddings = embed_task(model, task, cache, progress=False)
    labels = {
        split: np.array([clip.labels[0] for clip in clips]) for split, clips in task.splits.items()
    }
    measured = ["test"] if task.split_mode == "trainvaltest" else list(task.splits)
    scores = []
    for held_out in measured:
        others = [split for split in task.splits if split != held_out]
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS))
        probe.fit(
            np.concatenate([embeddings[split] for split in others]),
            np.concatenate([labels[split] for split in others]),
        )
        scores.append(100 * float(probe.score(embeddings[held_out], labels[held_out])))
    return scores


def _single_label(task: "Task") -> "Task":
    if (task.embedding_type, task.prediction_type) != ("scene", "multiclass"):
        raise ValueError(
            f"{task.folder}: expected a task with one label a clip, received "
            f"{task.embedding_type}, {task.prediction_type}: measure it with keras-axlstm evaluate"
        )
    return task


if __name__ == "__main__":
    sys.exit(main())
