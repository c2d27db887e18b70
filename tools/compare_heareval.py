"""Compare our probe with heareval's own prediction code, on the same embedding files: see --help.

python tools/compare_heareval.py --heareval-python PYTHON [OPTIONS]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarking import environment
from benchmarking.results import write_report
from heareval_runs import heareval_run, heareval_versions
from keras_axlstm.evaluation.confidence import half_width
from keras_axlstm.evaluation.heareval_files import read_heareval_files, write_heareval_files
from keras_axlstm.evaluation.probe import ProbeSplit, ProbeTask, run_probe

Record = dict[str, Any]
# Points of a score.
LARGEST_DIFFERENCE = 1.0
TASKS = ("multiclass", "multilabel", "kfold")

DESCRIPTION = """\
Write three synthetic tasks as heareval's embedding files, run heareval.predictions.runner on them
in an environment of its own (heareval 2021.1.3, pytorch-lightning 1.9), and our probe with the
protocol "heareval", for the same seeds. Prints both means and their 95 % intervals, and writes a
JSON file and a Markdown table."""


def main(argv: list[str]) -> int:
    """Run both on every task; 1 if they differ by more than a point or their intervals."""
    options = _parse(argv)
    records = []
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        for task in make_tasks():
            if task.name not in options.tasks:
                continue
            folder = Path(temporary) / task.name
            write_heareval_files(task, folder)
            start = time.perf_counter()
            ours = run_probe(read_heareval_files(folder), "heareval", range(options.seeds))
            seconds = time.perf_counter() - start
            theirs = [
                heareval_run(options.heareval_python, folder, seed, options.threads)
                for seed in range(options.seeds)
            ]
            records.append(_record(task, ours.scores(), seconds, theirs))
            print(_row(records[-1]), file=sys.stderr, flush=True)
    described = environment.describe(argv, "compare_heareval.py")
    content = {
        "environment": described,
        "heareval": heareval_versions(options.heareval_python),
        "records": records,
    }
    write_report(options.output, "heareval-", content, _table(content))
    return int(not all(record["agrees"] for record in records))


def make_tasks() -> list[ProbeTask]:
    """One of each kind. Many test clips, so that what differs is what training leaves to chance."""
    rng = np.random.default_rng(0)
    return [
        _multiclass(rng, "multiclass", {"train": 200, "valid": 150, "test": 1000}),
        _multilabel(rng, "multilabel", {"train": 200, "valid": 150, "test": 1000}),
        _multiclass(rng, "kfold", {f"fold{i:02d}": 120 for i in range(4)}),
    ]


def _multiclass(rng: np.random.Generator, name: str, sizes: dict[str, int]) -> ProbeTask:
    classes, width = 10, 64
    # Two centres a class, so that a hidden layer is of use.
    centres = rng.normal(scale=0.45, size=(2, classes, width))

    def split(count: int) -> ProbeSplit:
        labels = rng.integers(classes, size=count)
        noise = rng.normal(size=(count, width))
        return ProbeSplit(centres[rng.integers(2, size=count), labels] + noise, _one_hot(labels))

    def _one_hot(labels: np.ndarray) -> np.ndarray:
        return np.eye(classes, dtype=bool)[labels]

    mode = "new_split_kfold" if name == "kfold" else "trainvaltest"
    splits = {key: split(count) for key, count in sizes.items()}
    vocabulary = [f"class {i}" for i in range(classes)]
    return ProbeTask(name, "multiclass", mode, ("top1_acc",), vocabulary, splits)


def _multilabel(rng: np.random.Generator, name: str, sizes: dict[str, int]) -> ProbeTask:
    classes, width = 20, 64
    directions = rng.normal(scale=0.5, size=(classes, width))

    def split(count: int) -> ProbeSplit:
        targets = rng.random((count, classes)) < 0.12
        return ProbeSplit(targets @ directions + rng.normal(size=(count, width)), targets)

    splits = {key: split(count) for key, count in sizes.items()}
    vocabulary = [f"class {i}" for i in range(classes)]
    scores = ("mAP", "d_prime", "aucroc")
    return ProbeTask(name, "multilabel", "trainvaltest", scores, vocabulary, splits)


def _record(task: ProbeTask, ours: list[float], seconds: float, theirs: list[Record]) -> Record:
    scores = {
        "ours": ours,
        "heareval": [run["scores"][f"test_{task.evaluation[0]}"] for run in theirs],
    }
    means = {who: 100 * float(np.mean(values)) for who, values in scores.items()}
    widths = {who: 100 * half_width(values) for who, values in scores.items()}
    difference = means["ours"] - means["heareval"]
    return {
        "task": task.name,
        "metric": task.evaluation[0],
        "scores": scores,
        "means": means,
        "half_widths": widths,
        "difference": difference,
        "agrees": abs(difference) <= min(LARGEST_DIFFERENCE, widths["heareval"]),
        "seconds": {"ours": seconds, "heareval": sum(run["seconds"] for run in theirs)},
    }


def _table(content: Record) -> str:
    described, heareval = content["environment"], content["heareval"]
    versions = ", ".join(f"{name} {version}" for name, version in heareval.items())
    lines = [
        f"{described['cpu']}, {described['cores']} cores, commit {described['commit']}",
        f"`{described['command']}`",
        f"heareval's environment: {versions}",
        "",
        "| task | score | ours | heareval | difference | ours, s | heareval, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join(lines + [_row(record) for record in content["records"]])


def _row(record: Record) -> str:
    figures = " | ".join(
        f"{record['means'][who]:.2f} ± {record['half_widths'][who]:.2f}"
        for who in ("ours", "heareval")
    )
    seconds = " | ".join(f"{record['seconds'][who]:.0f}" for who in ("ours", "heareval"))
    return (
        f"| {record['task']} | {record['metric']} | {figures} | {record['difference']:+.2f} | "
        f"{seconds} |"
    )


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="compare_heareval.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--heareval-python", required=True, metavar="PYTHON", help="where heareval is installed"
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS, help="default: all")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="of heareval's torch (default: 1)"
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for the embedding files")
    parser.add_argument(
        "--output",
        type=Path,
        default=environment.ROOT / "tools" / "benchmarks",
        metavar="DIR",
        help="folder for the two files (default: tools/benchmarks)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
