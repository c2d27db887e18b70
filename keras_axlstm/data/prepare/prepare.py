import csv
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.data.crop_job import check_integer
from keras_axlstm.data.prepare.beam import write_shards_with_beam
from keras_axlstm.data.prepare.shard_job import UNFINISHED, ShardJob
from keras_axlstm.data.shards import LAYOUTS, ShardIndex
from keras_axlstm.data.sources import ClipSource, clip_source
from keras_axlstm.data.sources.prepared_shards import (
    DATASET_FILE,
    FORMAT,
    PreparedShards,
    read_description,
)
from keras_axlstm.data.sources.settings import log_mel_settings
from keras_axlstm.files import replace_output
from keras_axlstm.processes import map_in_processes

PLAN_FILE = "plan.json"
SKIPPED_FILE = "skipped.csv"
# So many that a run that was killed loses little, and so few that AudioSet has a thousand files.
_MOST_CLIPS_PER_SHARD, _FEWEST_CLIPS_PER_SHARD, _SHARDS_OF_SMALL_SETS = 2048, 16, 64


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made.

    Args:
        folder: the output.
        clips: clips in it.
        hours: their length.
        mean: of all log-mel values.
        std: of all log-mel values, population standard deviation.
        skipped: pairs `(path, reason)` of clips that could not be read.
    """

    folder: Path
    clips: int
    hours: float
    mean: float
    std: float
    skipped: list[tuple[str, str]]


def prepare(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | ClipSource,
    output: str | os.PathLike[str],
    *,
    processes: int = 1,
    layout: str = "flat",
    clips_per_shard: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
    runner: str | None = None,
    runner_options: Sequence[str] = (),
    sampling_rate: int = 16000,
    **log_mel: Any,
) -> Prepared:
    """Turn clips into shards of float16 log-mel spectrograms, for `random_crops`.

    The work is done in a folder beside `output`, `.preparing-<name>`, which takes its name when all
    is done. After an interruption or a crash the same call goes on there; finished shards are not
    made again. The shards do not depend on the number of processes or the runner.

    Clips that cannot be read are skipped and listed in `skipped.csv` of the output. Its
    `dataset.json` has the settings and statistics.

    Args:
        source: what `clip_source` takes.
        output: the folder to make.
        processes: processes that work at the same time. A script that uses more than one needs the
            usual `if __name__ == "__main__":`.
        layout: `"flat"`: the frames of a shard in one `.npy` file, of which a crop reads only its
            own; or `"array_record"`: a record for each clip, for other tools.
        clips_per_shard: clips of a shard; by default up to 2048.
        overwrite: replace an existing output of `prepare`, once the new one is done.
        progress: show a bar.
        runner: an Apache Beam runner that does the work instead, such as `"DirectRunner"`.
        runner_options: options of the pipeline, such as `["--region=europe-west1"]`.
        sampling_rate: rate in Hz to which audio is resampled.
        **log_mel: further arguments of `log_mel_spectrogram`.

    Returns:
        What was made.

    Raises:
        ValueError: a bad argument, a source without clips, no readable clip, or an interrupted run
            with other arguments.
        FileExistsError: `output` exists.

    Example:

    ```python
    from keras_axlstm.data import prepare, random_crops

    prepare("examples/audio", "prepared", overwrite=True)
    dataset = random_crops("prepared", batch_size=4)
    ```
    """
    check_integer("processes", processes, 1)
    if clips_per_shard is not None:
        check_integer("clips_per_shard", clips_per_shard, 1)
    if layout not in LAYOUTS:
        raise ValueError(f"`layout` must be one of {', '.join(LAYOUTS)}. Received: {layout!r}")
    LAYOUTS[layout].check_available()
    settings = log_mel_settings(sampling_rate, log_mel)
    target = Path(os.path.realpath(output))
    if target.exists():
        _check_replaceable(target, overwrite)

    clips = clip_source(source, sampling_rate=sampling_rate, **log_mel)
    if isinstance(clips, PreparedShards):
        settings = clips.description["log_mel"]
    if clips_per_shard is None:
        share = -(-len(clips) // _SHARDS_OF_SMALL_SETS)
        clips_per_shard = min(max(share, _FEWEST_CLIPS_PER_SHARD), _MOST_CLIPS_PER_SHARD)
    work = target.with_name(f".preparing-{target.name}")
    job = ShardJob(clips, work, layout, clips_per_shard)
    plan = {
        "format": FORMAT,
        "version": 1,
        "layout": layout,
        "log_mel": settings,
        "clips_per_shard": clips_per_shard,
        "source": _fingerprint(clips),
    }
    _begin(work, plan)
    _write_shards(job, processes, progress, runner, runner_options)
    prepared = _finish(job, plan, target)
    replace_output(target, work)
    # Only now: without it a run that is killed just before could not go on.
    (target / PLAN_FILE).unlink()
    return prepared


def _check_replaceable(target: Path, overwrite: bool) -> None:
    """Raise unless all of a folder may go."""
    if not overwrite:
        raise FileExistsError(
            f"{target} exists already. Choose another name, or replace it with overwrite=True "
            "(command line: --overwrite)."
        )
    try:
        shards = [shard["name"] for shard in read_description(target)["shards"]]
    except ValueError as error:
        raise FileExistsError(
            f"{target} is not replaced, because it was not made by `prepare`."
        ) from error
    ours = {DATASET_FILE, PLAN_FILE, SKIPPED_FILE}
    others = [
        name
        for name in sorted(os.listdir(target))
        if name not in ours and name.partition(".")[0] not in shards
    ]
    if others:
        raise FileExistsError(
            f"{target} is not replaced, because it holds other files: {', '.join(others[:5])}"
            f"{', ...' if len(others) > 5 else ''}. Move them first."
        )


def _begin(work: Path, plan: dict[str, Any]) -> None:
    """Make the working folder, or go on in one that was left by the same run."""
    work.mkdir(parents=True, exist_ok=True)
    plan_file = work / PLAN_FILE
    if plan_file.exists():
        earlier = json.loads(plan_file.read_text(encoding="utf-8"))
        different = [name for name in plan if earlier.get(name) != plan[name]]
        if different:
            raise ValueError(
                f"{work} was left by an interrupted run with another {', '.join(different)}. Give "
                "the same arguments to go on with it, or remove that folder to begin anew."
            )
        for leftover in work.glob(f"{UNFINISHED}*"):
            leftover.unlink()
        return
    if any(not entry.name.startswith(UNFINISHED) for entry in work.iterdir()):
        raise FileExistsError(f"{work} is needed for the work but holds other files. Move it.")
    _write_text(plan_file, json.dumps(plan, indent=1) + "\n")


def _write_shards(
    job: ShardJob,
    processes: int,
    progress: bool,
    runner: str | None,
    runner_options: Sequence[str],
) -> None:
    from tqdm import tqdm

    left = [i for i in range(job.num_shards) if not job.files(i)[1].exists()]
    if not left:
        return
    if runner is not None:
        write_shards_with_beam(job, left, runner, runner_options)
        return
    done = len(job.source) - sum(len(job.clips(number)) for number in left)
    with tqdm(total=len(job.source), initial=done, unit="clip", disable=not progress) as bar:
        for number in map_in_processes(
            job.write, left, min(processes, len(left)), preload=ShardJob.__module__
        ):
            bar.update(len(job.clips(number)))


def _finish(job: ShardJob, plan: dict[str, Any], target: Path) -> Prepared:
    """Add up the shards and write what describes them."""
    shards, skipped = [], []
    lengths, means, stds = [], [], []
    for number in range(job.num_shards):
        _, index_file = job.files(number)
        index = ShardIndex.load(index_file)
        lengths.append(np.diff(index.offsets))
        means.append(index.means)
        stds.append(index.stds)
        shards.append(
            {"name": job.stem(number), "clips": len(index), "frames": int(index.offsets[-1])}
        )
        skipped += [
            (record["name"], record["reason"])
            for record in ShardIndex.load_records(index_file, "skipped")
        ]
    frames = np.concatenate(lengths)
    if not frames.size:
        raise ValueError(
            f"None of the {len(skipped)} clips can be read. First reason: {skipped[0][1]}"
        )
    mean, std = _combine(frames, np.concatenate(means), np.concatenate(stds))
    settings = plan["log_mel"]
    # The first frame is centred on the first sample.
    seconds = float((frames - 1).sum()) * settings["hop_length"] / settings["sampling_rate"]
    described = {
        "clips": len(frames),
        "hours": seconds / 3600,
        "mean": mean,
        "std": std,
        "skipped": len(skipped),
        "shards": shards,
    }
    with open(job.folder / SKIPPED_FILE, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "reason"), *skipped])
    _write_text(job.folder / DATASET_FILE, json.dumps(plan | described, indent=1) + "\n")
    return Prepared(target, len(frames), seconds / 3600, mean, std, skipped)


def _combine(frames: np.ndarray, means: np.ndarray, stds: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of all values from those of clips of some frames."""
    weights = frames / frames.sum()
    mean = float(weights @ means)
    return mean, float(np.sqrt(weights @ (np.square(stds) + np.square(means - mean))))


def _fingerprint(clips: ClipSource) -> str:
    """Tells whether two runs have the same clips in the same order."""
    digest = hashlib.sha256()
    for index in range(len(clips)):
        digest.update(os.fspath(clips.name(index)).encode("utf-8", "surrogateescape") + b"\0")
    return f"{len(clips)} clips, {digest.hexdigest()[:16]}"


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{UNFINISHED}{path.name}")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
