"""The embeddings of a task's clips."""

import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_axlstm.audio import read_audio
from keras_axlstm.evaluation.cache.embedding_store import EmbeddingStore
from keras_axlstm.evaluation.models import EvaluationModel
from keras_axlstm.evaluation.models.identity import hash_of_file

if TYPE_CHECKING:
    from keras_axlstm.evaluation.tasks import Task

Entry = tuple[np.ndarray, np.ndarray]


def embed_task(
    model: EvaluationModel,
    task: "Task",
    cache_dir: str | os.PathLike[str],
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, Any]:
    """The embeddings of every clip of a task, computed where they are not cached.

    Entries are found by the content of the audio file and by the model's identity, so that tasks
    share them. They are written batch by batch: what was done when a process was killed is not done
    again. Damaged entries are computed again. Clips of like length are computed together.

    Args:
        model: gives the embeddings.
        task: whose clips to embed; scenes, or frames for an event task.
        cache_dir: folder of the cache, a file a model; made if missing.
        batch_size: clips given to the model at a time.
        progress: show a progress bar.

    Returns:
        By split, in the order of its clips: `(clips, d)` float32 for a scene task; for an event
        task a list of frames `(t, d)` float32 and times `(t,)` in milliseconds.

    Raises:
        ValueError: a bad argument; audio that cannot be read, or whose embedding is not finite: the
            file is named.
        OSError: `cache_dir` cannot be written, found before anything is computed.

    Example:

    ```python
    from keras_axlstm.evaluation.cache import embed_task
    from keras_axlstm.evaluation.models import open_model
    from keras_axlstm.evaluation.tasks import read_task

    task = read_task("tasks/esc50-v2.0.0-full")  # doctest: +SKIP
    embed_task(open_model("logmel"), task, "embeddings")["fold00"].shape  # doctest: +SKIP
    ```
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"`batch_size` must be a positive integer. Received: {batch_size!r}")
    kind = "scene" if task.embedding_type == "scene" else "timestamps"
    dims = {"scene": model.embedding_dim, "timestamps": model.frame_dim}
    paths = list(dict.fromkeys(clip.path for clips in task.splits.values() for clip in clips))
    with closing(EmbeddingStore(cache_dir, model.identity, dims)) as store:
        hashes = {path: hash_of_file(path) for path in paths}
        entries: dict[str, Entry] = {}
        missing: dict[str, Path] = {}
        for path, audio in hashes.items():
            if audio in entries or audio in missing:
                continue
            entry = store.get(kind, audio)
            if entry is None:
                missing[audio] = path
            else:
                entries[audio] = entry
        _compute(model, kind, missing, store, entries, batch_size, progress, task.name)

    def gathered(clips: Iterable[Any]) -> Any:
        found = [entries[hashes[clip.path]] for clip in clips]
        return np.concatenate([scene for scene, _ in found]) if kind == "scene" else found

    return {split: gathered(clips) for split, clips in task.splits.items()}


def _compute(
    model: EvaluationModel,
    kind: str,
    missing: dict[str, Path],
    store: EmbeddingStore,
    entries: dict[str, Entry],
    batch_size: int,
    progress: bool,
    task_name: str,
) -> None:
    """Embed the `missing` files, by hash, into `store` and `entries`."""
    from tqdm import tqdm

    # Of one sample rate, so that the size orders them as the length does.
    ordered = sorted(missing.items(), key=lambda item: item[1].stat().st_size)
    description = f"{model.name} on {task_name}"
    with tqdm(
        total=len(ordered), desc=description, unit="clip", disable=not (progress and ordered)
    ) as bar:
        for start in range(0, len(ordered), batch_size):
            batch = dict(ordered[start : start + batch_size])
            computed = dict(zip(batch, _embed(model, kind, list(batch.values())), strict=True))
            store.put(kind, computed)
            entries.update(computed)
            bar.update(len(batch))


def _embed(model: EvaluationModel, kind: str, paths: list[Path]) -> list[Entry]:
    waveforms = [read_audio(path, model.sampling_rate) for path in paths]
    if kind == "scene":
        none = np.zeros(0)
        results = [(scene[np.newaxis], none) for scene in model.scenes(waveforms)]
    else:
        results = model.timestamps(waveforms)
    for path, (frames, times_ms) in zip(paths, results, strict=True):
        if not (np.isfinite(frames).all() and np.isfinite(times_ms).all()):
            bad = int(frames.size - np.isfinite(frames).sum())
            raise ValueError(
                f"The embeddings of {model.name} must be finite. Received: {bad} of {frames.size} "
                f"values that are NaN or infinite for {path}"
            )
    return results
