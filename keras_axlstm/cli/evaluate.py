"""`keras-axlstm evaluate`: models on downstream tasks."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.table import format_table

if TYPE_CHECKING:
    from keras_axlstm.evaluation.report import RunResult, ScoreTable
    from keras_axlstm.evaluation.tasks import Task

PROTOCOLS = ("paper", "heareval", "fast")

MODELS = """\
models:
  NAME or FOLDER          a preset
  random:PRESET[:SEED]    a preset's architecture with random weights
  hear:MODULE[:WEIGHTS]   a module of the HEAR 2021 API, such as hear:hear21passt.base
  transformers:ID         wav2vec 2.0, WavLM, HuBERT or AST, by the mean of the last hidden states
  logmel                  mean and standard deviation of a log-mel spectrogram
  hear-naive              the naive baseline of HEAR 2021

protocols of the probe:
  paper      learning rate 1e-4, dropout 0.1 or 0.25, up to 500 epochs
  heareval   as the evaluation kit of HEAR 2021: 8 of 16 settings, no reshuffling
  fast       one setting, up to 100 epochs

Embeddings are kept in --cache and results in --output: what was done is not done again, also after
an interrupt.
"""


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "evaluate",
        help="measure embeddings on tasks in the format of HEAR 2021",
        description="Measure embeddings of models on tasks in the format of HEAR 2021: a small "
        "network is trained on the embeddings of each task, with several seeds.",
        epilog=MODELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--tasks-dir", type=Path, required=True, metavar="DIR", help="folder of task folders"
    )
    parser.add_argument(
        "--tasks", nargs="+", metavar="NAME", help="only these task folders (default: all)"
    )
    parser.add_argument(
        "--model",
        nargs="+",
        required=True,
        dest="models",
        metavar="MODEL",
        help="one or several models, see below",
    )
    parser.add_argument(
        "--protocol", choices=PROTOCOLS, default="paper", help="default: %(default)s"
    )
    parser.add_argument(
        "--seeds",
        type=positive_integer,
        default=10,
        metavar="N",
        help="of the probe (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("evaluation"),
        metavar="DIR",
        help="where results, table.md and table.png are put (default: %(default)s)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where embeddings are kept (default: OUTPUT/embeddings)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_integer,
        default=64,
        metavar="N",
        help="clips given to a model at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--table2",
        nargs="*",
        metavar="ROW",
        help="show rows of the paper's Table 2 beside the models: all, or the named ones",
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bars")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Check everything, evaluate, print the table."""
    choose_backend()

    from keras_axlstm.evaluation import evaluate, open_model, read_tasks
    from keras_axlstm.evaluation.report import ScoreTable
    from keras_axlstm.evaluation.run import check_measurable

    tasks = read_tasks(arguments.tasks_dir, arguments.tasks)
    check_measurable(tasks, arguments.protocol)
    published = _published(arguments.table2)
    models = [open_model(spec) for spec in dict.fromkeys(arguments.models)]
    progress = not arguments.no_progress
    for model in models:
        for task in tasks:
            result = evaluate(
                model,
                task,
                arguments.output / "results",
                arguments.cache or arguments.output / "embeddings",
                protocol=arguments.protocol,
                num_seeds=arguments.seeds,
                batch_size=arguments.batch_size,
                progress=progress,
            )
            print(f"{model.name} on {task.folder.name}: {result.mean:.1f} %", flush=True)
    results = _same_kind(arguments.output / "results", tasks, arguments.protocol, arguments.seeds)
    table = ScoreTable.of(results, published)
    _write(table, arguments.output)
    print(format_table(*table.cells()))
    print(table.caption())
    return 0


def _published(names: list[str] | None) -> list[Any]:
    """Rows of Table 2: none, all, or the named ones."""
    from keras_axlstm.evaluation.score import table2

    if names is None:
        return []
    rows = {row.model: row for row in table2()}
    unknown = sorted(set(names) - set(rows))
    if unknown:
        raise ValueError(
            f"--table2: expected rows among {', '.join(rows)}. Received: {', '.join(unknown)}"
        )
    return [rows[name] for name in names or rows]


def _same_kind(
    folder: Path, tasks: "list[Task]", protocol: str, num_seeds: int
) -> "list[RunResult]":
    """The results of all models so far on these tasks, in the order of the tasks."""
    from keras_axlstm.evaluation.report import RunResult
    from keras_axlstm.evaluation.run import task_digest

    order = {task_digest(task): index for index, task in enumerate(tasks)}
    results = [RunResult.load(path) for path in sorted(folder.glob("*/*.json"))]
    same = [
        result
        for result in results
        if result.task_digest in order
        and (result.protocol["name"], result.num_seeds) == (protocol, num_seeds)
    ]
    return sorted(same, key=lambda result: (order[result.task_digest], result.details["date"]))


def _write(table: "ScoreTable", folder: Path) -> None:
    """The table as Markdown and, with matplotlib, as a picture."""
    from keras_axlstm.files import write_aside
    from keras_axlstm.plots import plot_score_table, save_plot

    with write_aside(folder / "table.md", overwrite=True) as unfinished:
        unfinished.write_text(table.markdown(), "utf-8")
    written = "table.md and results"
    try:
        save_plot(plot_score_table(table), folder / "table.png")
        written = "table.md, table.png and results"
    except ImportError as error:
        print(f"No table.png. {error}")
    print(f"Written to {folder}: {written}")
