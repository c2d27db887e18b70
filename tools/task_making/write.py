"""Writing a recipe's clips as a task folder in the format of HEAR 2021."""

import itertools
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from task_making.recipe import FOLDS, RATE, PlannedClip, Recipe
from task_making.synthesizers import version


def write_task(
    recipe: Recipe, out: Path, *, clips: int, seed: int, processes: int, overwrite: bool
) -> int:
    """Make a task folder in `out`; gives how many clips it has."""
    # Here, so that the processes that make clips do not load Keras.
    from keras_axlstm.files import write_aside

    batches = recipe.plan(clips, seed)
    planned = list(itertools.chain.from_iterable(batches))
    with write_aside(out / recipe.folder, overwrite) as folder:
        for split in recipe.splits:
            (folder / str(RATE) / split).mkdir(parents=True)
        jobs = [(recipe, batch, seed, folder) for batch in batches]
        if processes == 1:
            list(map(_make, jobs))
        else:
            # Fresh processes: a copy of one that has threads may hang.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(processes, len(jobs)), context) as pool:
                list(pool.map(_make, jobs))
        _describe(recipe, folder, planned, clips, seed)
    return len(planned)


def file_name(clip: PlannedClip) -> str:
    """A name that tells neither the label nor the source."""
    return f"clip{clip.number:05d}.wav"


def _make(job: tuple[Recipe, list[PlannedClip], int, Path]) -> None:
    recipe, batch, seed, folder = job
    for clip, sound in zip(batch, recipe.render(batch, seed), strict=True):
        if sound.shape != (round(recipe.seconds * RATE),) or not np.isfinite(sound).all():
            raise RuntimeError(f"{recipe.name}: {clip} has a shape of {sound.shape}, or NaN")
        samples = np.round(sound * 32767).astype("int16")
        soundfile.write(folder / str(RATE) / clip.split / file_name(clip), samples, RATE)


def _describe(
    recipe: Recipe, folder: Path, planned: list[PlannedClip], clips: int, seed: int
) -> None:
    folds = recipe.splits == FOLDS
    metadata = {
        "task_name": recipe.name,
        "version": "1.0",
        "mode": "mini",
        "embedding_type": "scene",
        "prediction_type": "multilabel" if recipe.multilabel else "multiclass",
        "split_mode": "presplit_kfold" if folds else "trainvaltest",
        **({"nfolds": len(FOLDS)} if folds else {}),
        "splits": list(recipe.splits),
        "sample_duration": recipe.seconds,
        "evaluation": list(recipe.evaluation),
        "paper_column": recipe.column,
        "made_by": {
            "program": "tools/make_tasks.py",
            "clips": clips,
            "seed": seed,
            "synthesizers": [version(recipe.synthesizer)] if recipe.synthesizer else [],
            "numpy": np.__version__,
        },
    }
    _write_json(folder / "task_metadata.json", metadata)
    vocabulary = "".join(f"{index},{label}\n" for index, label in enumerate(recipe.labels))
    (folder / "labelvocabulary.csv").write_text(f"idx,label\n{vocabulary}", encoding="utf-8")
    for split in recipe.splits:
        labels = {file_name(clip): list(clip.labels) for clip in planned if clip.split == split}
        _write_json(folder / f"{split}.json", labels)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
