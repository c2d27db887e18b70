"""Pretrain the models of the paper's ablations at any budget, and print them beside the paper.

    python examples/ablations/run.py CLIPS --output ablations --tables 3 4 5 --steps 2000 \
        --batch-size 64

CLIPS is anything that `keras-axlstm pretrain` reads. Models that two tables share are trained once.
A run that was interrupted goes on where it was, and finished models are not trained again, so that
a larger budget needs an output folder of its own. The table has the reconstruction error of masked
patches over the last tenth of the training. The paper's column is its score on ten downstream
tasks, higher is better. Scores of the trained models on tasks of one's own:

    keras-axlstm evaluate --tasks-dir TASKS --model ablations/*
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from grid import TABLES, Row, name_of  # noqa: E402

RESULT = "result.json"


def main(arguments: list[str]) -> None:
    """Train what is missing and print the tables."""
    options = _parse(arguments)
    # Late, so that --help is quick.
    from keras_axlstm.training import PretrainConfig, pretrain

    rows = [row for table in options.tables for row in TABLES[table]]
    folders = {name_of(row.options): row.options for row in rows}
    budget = {"epochs": options.epochs} if options.epochs else {"steps": options.steps}
    configs = {
        # All are checked before the first is trained.
        name: PretrainConfig(
            source=options.source,
            output=str(options.output / name),
            size=options.size,
            batch_size=options.batch_size,
            precision=options.precision,
            distribution=options.distribution,
            seed=options.seed,
            progress=options.progress,
            **budget,
            **model,
        )
        for name, model in folders.items()
    }
    results = {}
    for number, (name, config) in enumerate(configs.items(), start=1):
        file = options.output / name / RESULT
        if not file.exists():
            print(f"[{number}/{len(configs)}] {name}", flush=True)
            result = pretrain(config, resume=True, report=lambda line: None)
            file.write_text(json.dumps(_summary(result)) + "\n", encoding="utf-8")
        results[name] = json.loads(file.read_text(encoding="utf-8"))
    for table in options.tables:
        print("\n" + format_table(table, TABLES[table], results))


def _summary(result: Any) -> dict[str, float]:
    last = result.history[-max(1, len(result.history) // 10) :]
    error = sum(row["reconstruction_mse"] for row in last) / len(last)
    return {"error": error, "steps": result.history[-1]["step"], "seconds": result.seconds}


def format_table(table: int, rows: list[Row], results: dict[str, dict[str, float]]) -> str:
    """Markdown."""
    lines = [
        f"Table {table}",
        "",
        "| Model | Error of masked patches | Paper, s(m) |",
        "|---|---|---|",
    ]
    for row in rows:
        error = results[name_of(row.options)]["error"]
        paper = "–" if row.paper is None else f"{row.paper:.1f}"
        lines.append(f"| {row.label} | {error:.4f} | {paper} |")
    return "\n".join(lines)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", metavar="CLIPS")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--tables", type=int, nargs="+", choices=TABLES, default=list(TABLES))
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, metavar="N")
    length.add_argument("--epochs", type=int, metavar="N", help="the paper: 100")
    parser.add_argument("--batch-size", type=int, default=1024, metavar="N")
    parser.add_argument("--size", choices=("tiny", "small", "base"), default="tiny")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--distribution", default="none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-progress", dest="progress", action="store_false")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
