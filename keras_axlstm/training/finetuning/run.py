import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_axlstm.layers as layers
from keras_axlstm.data.readable_files import readable_files
from keras_axlstm.files import write_aside
from keras_axlstm.models import AudioClassifier
from keras_axlstm.models.open_preset import open_preset
from keras_axlstm.training.finetuning.epoch_lines import EpochLines
from keras_axlstm.training.finetuning.finetune_config import FinetuneConfig
from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError
from keras_axlstm.training.finetuning.labelled_files import (
    LabelledFiles,
    read_classes,
    read_folder,
    read_labels,
)
from keras_axlstm.training.finetuning.report import CONFUSION, CURVES, REPORT, write_report
from keras_axlstm.training.finetuning.scores import class_scores, label_scores
from keras_axlstm.training.finetuning.split_files import split_files
from keras_axlstm.training.optimizer import fine_tuning_optimizer

PRESET_FILES = (
    "audio_converter.json",
    "config.json",
    "metadata.json",
    "model.weights.h5",
    "preprocessor.json",
    "task.json",
    "task.weights.h5",
)
# With the modes that leave the encoder as it was.
ADAPTER = "adapter.npz"
OUTPUT_FILES = (*PRESET_FILES, ADAPTER, REPORT, CURVES, CONFUSION)


@dataclasses.dataclass(frozen=True)
class FinetuneResult:
    """What came of fine-tuning.

    Attributes:
        classifier: the trained one, as it was saved.
        report: what `report.json` holds: the configuration, the classes, the files of each part,
            loss and metrics by epoch (`history`), and the `scores` of each part at the end.
        no_pictures: None, or why there are none.
    """

    classifier: AudioClassifier
    report: dict[str, Any]
    no_pictures: str | None


def finetune(
    config: FinetuneConfig,
    *,
    overwrite: bool = False,
    report: Callable[[str], None] = print,
) -> FinetuneResult:
    """Train a classifier on labelled files, and write its preset with a report.

    Everything that is wrong with the data, the output or the preset is said before the training.
    The output appears when all is done; an error or an interrupt leaves nothing.

    Args:
        config: everything that the result follows from.
        overwrite: replace an earlier output.
        report: gets lines of text about the run.

    Raises:
        LabelledDataError: lists what is wrong with the data by file; a `ValueError`.
        ValueError: an unknown preset, one without weights, or a loss that is not finite.
        FileExistsError: the output exists, or holds other files than those of an earlier output.
        OSError: the output cannot be written.

    Example:

    ```python
    from pathlib import Path

    from keras_axlstm.training import FinetuneConfig, finetune

    rows = ["rain.ogg,noise", "filtered_noise.wav,noise", "melody.flac,tone", "siren.mp3,tone"]
    lines = ["path,label", *(f"examples/audio/{row}" for row in rows)]
    Path("labels.csv").write_text("\\n".join(lines))
    config = FinetuneConfig(
        manifest="labels.csv",
        output="noise_or_tone",
        random_weights=True,
        mode="frozen",
        epochs=1,
        validation=0.5,
    )
    finetune(config).report["scores"]["validation"]["accuracy"]
    ```
    """
    files = _read_files(config)
    parts = split_files(files, config.validation, config.test, config.seed)
    _refuse_inside(config)
    with write_aside(config.output, overwrite, names=OUTPUT_FILES) as folder:
        folder.mkdir()
        keras.utils.set_random_seed(config.seed)
        classifier = _new_classifier(config, files)
        _, failures = readable_files(
            files.paths, classifier.preprocessor.audio_converter.sampling_rate
        )
        if failures:
            raise LabelledDataError(failures)
        counts = ", ".join(f"{len(rows)} {part}" for part, rows in parts.items() if rows)
        trained = sum(int(np.prod(weight.shape)) for weight in classifier.trainable_variables)
        report(f"{len(files.paths)} files ({counts}), {len(files.class_names)} classes")
        report(f"{trained:,} of {classifier.count_params():,} parameters are trained")
        start = time.monotonic()
        history = _fit(classifier, config, files, parts, report)
        result = {
            "config": config.as_dict(),
            "class_names": files.class_names,
            "multi_label": files.multi_label,
            "seconds": round(time.monotonic() - start, 1),
            "trained_parameters": trained,
            "history": history,
            "scores": {
                part: _scores(classifier, config, files, rows)
                for part, rows in parts.items()
                if rows
            },
            "files": {part: [files.names()[i] for i in rows] for part, rows in parts.items()},
        }
        classifier.save_to_preset(str(folder))
        if config.mode != "full":
            classifier.save_adapter(folder / ADAPTER)
        no_pictures = write_report(folder, result)
    return FinetuneResult(classifier, result, no_pictures)


def _read_files(config: FinetuneConfig) -> LabelledFiles:
    classes = None if config.classes is None else read_classes(config.classes)
    if config.source is not None:
        return read_folder(config.source, classes)
    return read_labels(str(config.manifest), classes)


def _refuse_inside(config: FinetuneConfig) -> None:
    """An output among the class folders would be a class of the next run."""
    if config.source is None:
        return
    source, output = (Path(os.path.realpath(p)) for p in (config.source, config.output))
    if output == source or source in output.parents:
        raise ValueError(
            f"The output must lie outside of the folder of clips, {config.source}. Received: "
            f"{config.output}"
        )


def _new_classifier(config: FinetuneConfig, files: LabelledFiles) -> AudioClassifier:
    classifier = open_preset(
        AudioClassifier,
        config.start,
        class_names=files.class_names,
        multi_label=files.multi_label,
        pooling=config.pooling,
        dropout=config.dropout,
        spec_augment=layers.SpecAugment(seed=config.seed) if config.spec_augment else None,
        mixup=layers.Mixup(config.mixup, seed=config.seed) if config.mixup is not None else None,
    )
    if config.mode == "frozen":
        classifier.backbone.trainable = False
    elif config.mode == "lora":
        classifier.backbone.enable_lora(config.lora_rank)
    return classifier


def _fit(
    classifier: AudioClassifier,
    config: FinetuneConfig,
    files: LabelledFiles,
    parts: dict[str, list[int]],
    report: Callable[[str], None],
) -> dict[str, list[float]]:
    """Train; loss and metrics by epoch."""
    steps = -(-len(parts["train"]) // config.batch_size)
    classifier.compile(
        fine_tuning_optimizer(
            steps * config.epochs,
            classifier.backbone.num_layers,
            learning_rate=config.peak_learning_rate,
            layer_decay=config.decay_over_layers,
            weight_decay=config.weight_decay,
        )
    )
    lines = EpochLines(config.epochs, steps, config.progress, report)
    validation = _clips_and_labels(files, parts["validation"])
    try:
        history = classifier.fit(
            *_clips_and_labels(files, parts["train"]),
            batch_size=config.batch_size,
            epochs=config.epochs,
            validation_data=validation if parts["validation"] else None,
            callbacks=[lines],
            verbose=0,
        ).history
    finally:
        lines.close()
    return {name: [float(value) for value in values] for name, values in history.items()}


def _scores(
    classifier: AudioClassifier, config: FinetuneConfig, files: LabelledFiles, rows: list[int]
) -> dict[str, Any]:
    clips, labels = _clips_and_labels(files, rows)
    scores = classifier.predict(clips, batch_size=config.batch_size, verbose=0)
    measure = label_scores if files.multi_label else class_scores
    return measure(scores, classifier.encode_labels(labels), files.class_names)


def _clips_and_labels(files: LabelledFiles, rows: list[int]) -> tuple[list[str], list[Any]]:
    labels: list[Any] = [files.labels[i] for i in rows]
    if not files.multi_label:
        labels = [label for (label,) in labels]
    return [str(files.paths[i]) for i in rows], labels
