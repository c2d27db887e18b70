"""Run heareval's own prediction code, in an environment of its own, on its embedding files."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PACKAGES = ("heareval", "pytorch-lightning", "torch", "scikit-learn", "numpy", "pandas")

# heareval fixes its seed to 42 and loads its own checkpoints with torch.load's defaults of 2022.
# The rest counts the epochs and the time that go into training.
_PEER = """
import functools, json, sys, time
import torch
folder, seed, threads, grid, points, counted = sys.argv[1:]
torch.set_num_threads(int(threads))
torch.load = functools.partial(torch.load, weights_only=False)
import heareval.predictions.task_predictions as predictions
from heareval.predictions.runner import runner
everything = predictions.seed_everything
predictions.seed_everything = lambda _, **options: everything(int(seed), **options)
if grid != "{}":
    predictions.PARAM_GRID.update(json.loads(grid))
    predictions.PARAM_GRID["initialization"] = [torch.nn.init.xavier_normal_]
counts = {"model_epochs": 0, "seconds_of_training": 0.0}
train = predictions.task_predictions_train
def counted_train(**arguments):
    start = time.perf_counter()
    result = train(**arguments)
    counts["seconds_of_training"] += time.perf_counter() - start
    counts["model_epochs"] += result.trainer.current_epoch
    json.dump(counts, open(counted, "w"))
    return result
predictions.task_predictions_train = counted_train
sys.argv = ["runner", folder, "--grid-points", points]
runner()
"""


def heareval_run(
    python: str,
    folder: Path,
    seed: int,
    threads: int,
    grid: Mapping[str, Sequence[Any]] | None = None,
    grid_points: int = 8,
) -> dict[str, Any]:
    """`scores` (means over folds), `seconds`, `seconds_of_training` and `model_epochs` of a run.

    Args:
        python: interpreter of the environment with heareval.
        folder: embedding files; heareval writes its results there.
        seed: in the place of heareval's 42.
        threads: of torch.
        grid: what differs from heareval's default grid; Xavier normal with it.
        grid_points: how many to draw.
    """
    for done in ("prediction-done.json", "test.predicted-scores.json"):
        (folder / done).unlink(missing_ok=True)
    counted = folder / "counted.json"
    settings = [str(seed), str(threads), json.dumps(grid or {}), str(grid_points), str(counted)]
    start = time.perf_counter()
    finished = subprocess.run(
        [python, "-W", "ignore", "-c", _PEER, str(folder), *settings],
        cwd=folder.parent,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if finished.returncode:
        raise SystemExit(f"heareval failed:\n{finished.stderr[-3000:]}")
    results = json.loads((folder / "test.predicted-scores.json").read_text(encoding="utf-8"))
    if "aggregated_scores" in results:
        means = results["aggregated_scores"].items()
        scores = {name.removesuffix("_mean"): mean for name, mean in means if "_mean" in name}
    else:
        scores = results["test"]
    counts = json.loads(counted.read_text(encoding="utf-8"))
    return {"scores": scores, "seconds": seconds, **counts}


def heareval_versions(python: str) -> dict[str, str]:
    """Versions of the packages of an environment."""
    code = (
        "import importlib.metadata, json; "
        f"print(json.dumps({{n: importlib.metadata.version(n) for n in {_PACKAGES}}}))"
    )
    return json.loads(subprocess.check_output([python, "-c", code], text=True))
