"""Writing the corpus hour by hour, and views of the first hours as one data set."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from corpus_making.card import write_card
from corpus_making.corpus_clips import SOURCES, CorpusClips
from corpus_making.mixing import Mixer
from corpus_making.recordings import missing_recordings
from corpus_making.rendering import StreamRenderer
from corpus_making.streams import SECONDS
from task_making.synthesizers import missing_synthesizers

BLOCK = 50
# Without recordings, and with them.
DEFAULT_COUNTS = (20, 10, 20)
DEFAULT_COUNTS_WITH_RECORDINGS = (14, 8, 14, 14)
# What needs no clones; counts of a corpus without recordings end with it.
_ALWAYS = SOURCES[:-1]
_CLIPS = round(3600 / SECONDS)
_BLOCKS = _CLIPS // BLOCK
_CLIPS_PER_SHARD = 3 * BLOCK
_PLAN = "corpus.json"
_NEEDED = {"speech": "espeak-ng", "music": "fluidsynth"}


def make_hours(
    out: Path,
    hours: int,
    seed: int,
    counts: tuple[int, ...] | None,
    recordings: Path | None,
    gated: float,
    report: Callable[[str], None],
) -> Path:
    """Make the hours that are not there yet; gives the folder that holds all of the first `hours`.

    Args:
        out: the folder of the corpus.
        hours: counted from the first.
        seed: of the corpus.
        counts: clips of a block of `BLOCK`, by source, the last may be left out; None for the
            default.
        recordings: the folder with the clones of the repositories of recordings, if there is one.
        gated: share of the clips that pass a noise gate, which leaves digital silence in pauses.
        report: gets a line for each hour.

    Raises:
        ValueError: a bad argument, a program or a repository that is missing, or a corpus with
            other arguments.
    """
    counts = counts or (DEFAULT_COUNTS_WITH_RECORDINGS if recordings else DEFAULT_COUNTS)
    counts = counts if len(counts) > len(_ALWAYS) else (*counts, 0)
    _check(hours, seed, counts, recordings, gated)
    plan = {"seed": seed, "counts": list(counts if counts[-1] else counts[:-1]), "gated": gated}
    _begin(out, plan)
    from keras_axlstm.data import prepare
    from keras_axlstm.files import write_aside

    renderer, mixer = StreamRenderer(), Mixer()
    for hour in range(hours):
        folder = out / f"hour-{hour:05d}"
        if folder.exists():
            continue
        start, cpu = time.monotonic(), os.times()
        blocks = range(hour * _BLOCKS, (hour + 1) * _BLOCKS)
        clips = CorpusClips(seed, blocks, counts, renderer, mixer, recordings, gated)
        prepared = prepare(clips, folder, clips_per_shard=_CLIPS_PER_SHARD)
        spent = sum(os.times()[:4]) - sum(cpu[:4])
        seconds = {"seconds": time.monotonic() - start, "cpu_seconds": spent}
        with write_aside(out / f"hour-{hour:05d}.json") as file:
            file.write_text(json.dumps(seconds) + "\n", encoding="utf-8")
        report(f"{folder.name}: {prepared.clips} clips in {seconds['seconds']:.0f} s")
    return _view(out, hours, seed, counts, gated)


def _check(
    hours: int, seed: int, counts: tuple[int, ...], recordings: Path | None, gated: float
) -> None:
    if hours < 1:
        raise ValueError(f"--hours: expected a positive integer, received {hours}")
    if seed < 0:
        raise ValueError(f"--seed: expected an integer of 0 or more, received {seed}")
    if len(counts) != len(SOURCES) or min(counts) < 0 or sum(counts) != BLOCK:
        raise ValueError(
            f"--counts: expected three or four that add up to {BLOCK}, received {counts}"
        )
    if not 0 <= gated <= 1:
        raise ValueError(f"--gated: expected a share from 0 to 1, received {gated}")
    wanted = {
        _NEEDED[source]
        for source, count in zip(SOURCES, counts, strict=True)
        if count and source in _NEEDED
    }
    problems = missing_synthesizers(wanted)
    if counts[SOURCES.index("recordings")]:
        if recordings is None:
            raise ValueError(f"--counts {' '.join(map(str, counts))}: give --recordings too")
        problems += missing_recordings(recordings)
    if problems:
        raise ValueError("\n".join(problems))


def _begin(out: Path, plan: dict[str, object]) -> None:
    """Make the folder, or check that it is of the same corpus."""
    from keras_axlstm.files import write_aside

    if (out / _PLAN).exists():
        earlier = {"gated": 0.0} | json.loads((out / _PLAN).read_text(encoding="utf-8"))
        if earlier != plan:
            raise ValueError(
                f"{out} was begun with {earlier}, received {plan}: give the same, or another OUT."
            )
        return
    if out.exists() and os.listdir(out):
        raise ValueError(f"{out} holds other files: give a folder that is empty or not there yet.")
    with write_aside(out / _PLAN) as file:
        file.write_text(json.dumps(plan) + "\n", encoding="utf-8")


def _view(out: Path, hours: int, seed: int, counts: tuple[int, ...], gated: float) -> Path:
    """One data set of the shards of the first hours, which stay where they are."""
    from keras_axlstm.data.sources.prepared_shards import DATASET_FILE, read_description
    from keras_axlstm.files import write_aside

    names = [f"hour-{hour:05d}" for hour in range(hours)]
    parts = [read_description(out / name) for name in names]
    mean = sum(part["mean"] for part in parts) / hours
    square = sum(part["std"] ** 2 + part["mean"] ** 2 for part in parts) / hours
    described = parts[0] | {
        "source": f"make_corpus.py, seed {seed}, counts {list(counts)}, {hours} hours",
        "clips": sum(part["clips"] for part in parts),
        "hours": sum(part["hours"] for part in parts),
        "mean": mean,
        "std": (square - mean**2) ** 0.5,
        "skipped": sum(part["skipped"] for part in parts),
        "shards": [
            shard | {"name": f"../{name}/{shard['name']}"}
            for name, part in zip(names, parts, strict=True)
            for shard in part["shards"]
        ],
    }
    spent = [json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    folder = out / f"{hours}h"
    with write_aside(folder, overwrite=True) as unfinished:
        unfinished.mkdir()
        text = json.dumps(described, indent=1) + "\n"
        (unfinished / DATASET_FILE).write_text(text, encoding="utf-8")
        write_card(unfinished / "README.md", hours, seed, counts, gated, spent)
    return folder
