"""How well embeddings tell the classes of your own labelled files apart.

    python examples/evaluate_labelled_files.py examples/audio_labels.csv evaluation \
        --models my_preset random:axlstm_tiny logmel

Writes the files as a task in the format of HEAR 2021: pieces of a second in three folds, the pieces
of a file in one of them, so that no file is trained and tested on. Then a small network is trained
on the embeddings of each model, as `keras-axlstm evaluate` does, and each fold is tested in turn.
A class needs three files.
"""

import argparse
import json
import sys
from pathlib import Path

RATE = 16000
FOLDS = ("fold00", "fold01", "fold02")


def main(arguments: list[str]) -> None:
    """Make the task unless it is there, and evaluate the models on it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path, metavar="LABELS.csv", help="columns path and label")
    parser.add_argument("output", type=Path, metavar="DIR")
    parser.add_argument("--models", nargs="+", required=True, metavar="MODEL")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--protocol", default="fast", choices=("fast", "heareval", "paper"))
    options = parser.parse_args(arguments)
    # Late, so that --help is quick.
    from keras_axlstm.evaluation import evaluate, open_model, read_task

    folder = options.output / "tasks" / "labelled-1.0-files"
    if not folder.exists():
        write_task(options.manifest, folder)
    task = read_task(folder)
    for model in map(open_model, options.models):
        result = evaluate(
            model,
            task,
            options.output / "results",
            options.output / "embeddings",
            protocol=options.protocol,
            num_seeds=options.seeds,
            progress=False,
        )
        print(f"{model.name}: accuracy {result.mean:.1f} ± {result.half_width:.1f} %")


def write_task(manifest: Path, folder: Path) -> None:
    """Pieces of the files, a JSON file of labels for each fold, and what the task is."""
    import soundfile

    from keras_axlstm.audio import read_audio
    from keras_axlstm.files import write_aside
    from keras_axlstm.training.finetuning.labelled_files import read_labels

    files = read_labels(manifest)
    annotations: dict[str, dict[str, list[str]]] = {fold: {} for fold in FOLDS}
    seen = dict.fromkeys(files.class_names, 0)
    with write_aside(folder) as unfinished:
        for fold in FOLDS:
            (unfinished / str(RATE) / fold).mkdir(parents=True)
        for number, (path, (label,)) in enumerate(zip(files.paths, files.labels, strict=True)):
            fold = FOLDS[seen[label] % len(FOLDS)]
            seen[label] += 1
            waveform = read_audio(path, RATE)
            for start in range(0, max(1, len(waveform) - RATE + 1), RATE):
                name = f"{number}_{start}.wav"
                soundfile.write(
                    unfinished / str(RATE) / fold / name, waveform[start : start + RATE], RATE
                )
                annotations[fold][name] = [label]
        if rare := sorted(name for name, count in seen.items() if count < len(FOLDS)):
            raise ValueError(f"Expected {len(FOLDS)} files of each class. Fewer: {', '.join(rare)}")
        for fold, labels in annotations.items():
            (unfinished / f"{fold}.json").write_text(json.dumps(labels))
        vocabulary = [f"{index},{name}" for index, name in enumerate(files.class_names)]
        (unfinished / "labelvocabulary.csv").write_text("\n".join(["idx,label", *vocabulary]))
        metadata = {
            "task_name": "labelled",
            "version": "1.0",
            "mode": "files",
            "embedding_type": "scene",
            "prediction_type": "multiclass",
            "split_mode": "presplit_kfold",
            "nfolds": len(FOLDS),
            "splits": list(FOLDS),
            "sample_duration": 1.0,
            "evaluation": ["top1_acc"],
        }
        (unfinished / "task_metadata.json").write_text(json.dumps(metadata))


if __name__ == "__main__":
    main(sys.argv[1:])
