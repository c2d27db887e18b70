"""Time the probe, all models together and one after the other: see --help.

python tools/benchmark_probe.py [OPTIONS]
"""

import argparse
import dataclasses
import datetime
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarking import environment
from benchmarking.results import write_report
from heareval_runs import heareval_run, heareval_versions
from keras_axlstm.evaluation.heareval_files import write_heareval_files
from keras_axlstm.evaluation.probe import PROTOCOLS, ProbeResult, ProbeSplit, ProbeTask, run_probe

Record = dict[str, Any]
SIZES = {"train": 1200, "valid": 400, "test": 400}
WIDTH, CLASSES = 960, 50

DESCRIPTION = """\
Time the protocol "paper" (2 grid points a seed) on a made-up task of 2,000 embeddings of 960
numbers in 50 classes: all models together, our own code with one model after the other, and
heareval's own code, which trains one after the other, on the same grid. The last two are measured
on a few models and scaled by the number of epochs trained. Writes a JSON file and a Markdown
table, which is also printed."""


def main(argv: list[str]) -> int:
    """Run the cases, print the table, write the files."""
    options = _parse(argv)
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    described = environment.describe(argv, "benchmark_probe.py")
    content: Record = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": described,
        "backend": keras.backend.backend(),
        "load_before": os.getloadavg()[0],
        "records": [],
    }
    task = make_task(options.separation)
    records = content["records"]
    # Compilation is part of what a user waits for.
    records.append(_together(task, options.seeds))
    _tell(records[-1])
    epochs = records[0]["model_epochs"]
    if options.alone:
        records.append(_alone(task, options.alone, epochs))
        _tell(records[-1])
    if options.heareval_python:
        content["heareval"] = heareval_versions(options.heareval_python)
        records.append(_heareval(task, options, epochs))
        _tell(records[-1])
    write_report(options.output, "probe-", content, _table(content))
    return 0


def make_task(separation: float) -> ProbeTask:
    """Classes in noise: at a separation of 1 all are told apart, at 0.17 about two thirds."""
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=separation, size=(CLASSES, WIDTH))

    def split(count: int) -> ProbeSplit:
        labels = rng.integers(CLASSES, size=count)
        embeddings = centres[labels] + rng.normal(size=(count, WIDTH))
        return ProbeSplit(embeddings, np.eye(CLASSES, dtype=bool)[labels])

    splits = {name: split(count) for name, count in SIZES.items()}
    vocabulary = [f"class {i}" for i in range(CLASSES)]
    return ProbeTask("clips", "multiclass", "trainvaltest", ("top1_acc",), vocabulary, splits)


def _together(task: ProbeTask, seeds: int) -> Record:
    start = time.perf_counter()
    result = run_probe(task, "paper", range(seeds))
    seconds = time.perf_counter() - start
    return {
        "name": f"together, {seeds} seeds x 2 grid points",
        "seconds": seconds,
        "model_epochs": _model_epochs(result),
        "mean": result.mean,
        "half_width": result.half_width,
    }


def _alone(task: ProbeTask, seeds: int, epochs: int) -> Record:
    """Every model in a program of its own; a first one, not timed, has it compiled."""
    paper = PROTOCOLS["paper"]
    single = [dataclasses.replace(paper, grid=(point,)) for point in paper.grid]
    run_probe(task, dataclasses.replace(single[0], max_epochs=3), [0])
    start = time.perf_counter()
    results = [run_probe(task, protocol, [seed]) for seed in range(seeds) for protocol in single]
    seconds = time.perf_counter() - start
    measured = sum(_model_epochs(result) for result in results)
    return {
        "name": f"our code, one after the other, measured on {len(results)} models",
        "seconds": seconds * epochs / measured,
        "seconds_measured": seconds,
        "model_epochs": measured,
    }


def _heareval(task: ProbeTask, options: argparse.Namespace, epochs: int) -> Record:
    paper = PROTOCOLS["paper"]
    grid = {
        "hidden_layers": [1],
        "dropout": [point.dropout for point in paper.grid],
        "lr": sorted({point.learning_rate for point in paper.grid}),
    }
    results = []
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary) / task.name
        write_heareval_files(task, folder)
        for seed in range(options.heareval_seeds):
            run = heareval_run(
                options.heareval_python,
                folder,
                seed,
                environment.usable_cores(),
                grid=grid,
                grid_points=len(paper.grid),
            )
            results.append(run)
    seconds = sum(run["seconds_of_training"] for run in results)
    measured = sum(run["model_epochs"] for run in results)
    return {
        "name": f"heareval, one after the other, measured on {2 * len(results)} models",
        "seconds": seconds * epochs / measured,
        "seconds_measured": seconds,
        "model_epochs": measured,
        "mean": statistics.fmean(run["scores"]["test_top1_acc"] for run in results),
    }


def _model_epochs(result: ProbeResult) -> int:
    return sum(point["epochs"] for seed in result.seeds for point in seed.grid_scores)


def _tell(record: Record) -> None:
    print(f"{record['name']}: {record['seconds']:.1f} s", file=sys.stderr, flush=True)


def _table(content: Record) -> str:
    described, records = content["environment"], content["records"]
    changed = " with uncommitted changes" if described["dirty"] else ""
    lines = [
        f"{content['date'][:10]}, {described['cpu']}, {described['cores']} cores, "
        f"{content['backend']}, commit {described['commit']}{changed}, "
        f"load before {content['load_before']:.1f}",
        f"`{described['command']}`",
        "",
        "| | for all models | slower by | test score |",
        "| --- | --- | --- | --- |",
    ]
    for record in records:
        ratio = record["seconds"] / records[0]["seconds"]
        score = f"{100 * record['mean']:.1f} %" if "mean" in record else ""
        lines.append(f"| {record['name']} | {record['seconds']:.1f} s | {ratio:.1f} | {score} |")
    return "\n".join(lines)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmark_probe.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument(
        "--separation",
        type=float,
        default=1.0,
        metavar="X",
        help="of the classes, over the noise; the closer, the longer a probe learns before it "
        "stops early (default: 1)",
    )
    parser.add_argument(
        "--alone", type=int, default=2, metavar="N", help="seeds one by one (default: 2; 0: none)"
    )
    parser.add_argument(
        "--heareval-python", metavar="PYTHON", help="where heareval is installed (default: not)"
    )
    parser.add_argument(
        "--heareval-seeds", type=int, default=1, metavar="N", help="of heareval (default: 1)"
    )
    parser.add_argument("--cores", type=int, metavar="N", help="use only N cores (Linux)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for heareval's files")
    parser.add_argument(
        "--output",
        type=Path,
        default=environment.ROOT / "tools" / "benchmarks",
        metavar="DIR",
        help="folder for <date>-probe-<device>.json and .md, numbered where they exist "
        "(default: tools/benchmarks)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
