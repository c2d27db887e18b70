"""Small task folders in the format of HEAR 2021."""

import json
from pathlib import Path

import numpy as np
import soundfile

FOLDS = ("fold00", "fold01", "fold02")
METADATA = {
    "task_name": "animals",
    "version": "1.0",
    "mode": "small",
    "embedding_type": "scene",
    "prediction_type": "multiclass",
    "split_mode": "presplit_kfold",
    "nfolds": 3,
    "splits": list(FOLDS),
    "sample_duration": 0.1,
    "evaluation": ["top1_acc", "mAP"],
}


def write_task(
    parent: Path,
    annotations: dict | None = None,
    rate: int = 16000,
    vocabulary: tuple = ("cat", "dog", "owl"),
    **metadata,
) -> Path:
    """Write a task folder of noise.

    Args:
        parent: where the folder goes.
        annotations: by split and file name; two clips of a fold by default.
        rate: of the audio, and the name of its folder.
        vocabulary: the labels.
        **metadata: changes to `METADATA`; a key that is None is left out.
    """
    content = {key: value for key, value in (METADATA | metadata).items() if value is not None}
    folder = parent / f"{content['task_name']}-1.0-small"
    if annotations is None:
        annotations = {
            split: {f"{split}_{i}.wav": [label] for i, label in enumerate(("cat", "owl"))}
            for split in content.get("splits", FOLDS)
        }
    folder.mkdir(parents=True)
    (folder / "task_metadata.json").write_text(json.dumps(content))
    lines = [f"{index},{label}" for index, label in enumerate(vocabulary)]
    (folder / "labelvocabulary.csv").write_text("\n".join(["idx,label", *lines]) + "\n")
    rng = np.random.default_rng(0)
    for split, clips in annotations.items():
        (folder / f"{split}.json").write_text(json.dumps(clips))
        (folder / str(rate) / split).mkdir(parents=True)
        for name in clips:
            noise = rng.uniform(-0.5, 0.5, rate // 10)
            soundfile.write(folder / str(rate) / split / name, noise, rate)
    return folder
