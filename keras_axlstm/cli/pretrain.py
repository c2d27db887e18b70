"""`keras-axlstm pretrain`: self-supervised pretraining on a folder of audio."""

import argparse
import csv
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_axlstm.cli.arguments import (
    fraction,
    non_negative_integer,
    positive_integer,
    positive_number,
)
from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.skipped import report_skipped
from keras_axlstm.files import write_aside

if TYPE_CHECKING:
    from keras_axlstm.models import SpectrogramEncoder

PAPER_EPOCHS = 100
PAPER_BASE_LEARNING_RATE = 1.5e-4
# The paper's rule gives a batch of 32 so small a rate that a short run would show nothing.
SHORT_RUN_LEARNING_RATE = 1e-3
# What a history of a run by steps should have: enough rows for a curve.
HISTORY_ROWS = 100
AXLSTM_ONLY = ("expansion_factor", "flip", "input_gate", "forget_gate")


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "pretrain",
        help="pretrain an encoder on a folder of audio",
        description="Pretrain an encoder on a folder of audio files (wav, flac, ogg, mp3): hide "
        "half of the patches of random 2 s crops, and learn to fill them in. Writes a preset with "
        "the encoder, the reconstruction head and history.csv.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of audio files")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PRESET_DIR", help="the folder to write"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    _add_model_arguments(parser.add_argument_group("model"))
    _add_training_arguments(parser.add_argument_group("training"))
    return parser


def _add_model_arguments(group: Any) -> None:
    group.add_argument("--model", choices=("axlstm", "ssast"), default="axlstm")
    group.add_argument("--size", choices=("tiny", "small", "base"), default="tiny")
    group.add_argument("--expansion-factor", type=int, choices=(2, 3, 4), help="default: 3")
    group.add_argument(
        "--patch-size",
        type=positive_integer,
        nargs=2,
        metavar=("TIME", "FREQUENCY"),
        help="default: 4 16",
    )
    group.add_argument(
        "--flip",
        action="store_true",
        default=None,
        help="every second block reads backwards",
    )
    group.add_argument("--input-gate", choices=("exp", "sigmoid"), help="default: exp")
    group.add_argument("--forget-gate", choices=("sigmoid", "exp"), help="default: sigmoid")
    group.add_argument("--mask-ratio", type=fraction, default=0.5, help="default: %(default)s")
    group.add_argument(
        "--mask-mode",
        choices=("unstructured", "timestep"),
        default="unstructured",
        help="hide single patches or whole time steps (default: %(default)s)",
    )
    group.add_argument(
        "--loss-on",
        choices=("masked", "all"),
        default="masked",
        help="patches that count in the loss (default: %(default)s)",
    )


def _add_training_arguments(group: Any) -> None:
    length = group.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs",
        type=positive_integer,
        default=PAPER_EPOCHS,
        metavar="N",
        help="passes over the files, with the paper's learning rate (default: %(default)s)",
    )
    length.add_argument(
        "--steps", type=positive_integer, metavar="N", help="a run of N batches instead"
    )
    group.add_argument(
        "--batch-size",
        type=positive_integer,
        default=32,
        metavar="N",
        help="clips a step (default: %(default)s; the paper: 1024)",
    )
    rate = group.add_mutually_exclusive_group()
    rate.add_argument(
        "--base-learning-rate",
        type=positive_number,
        metavar="RATE",
        help="peak learning rate for a batch of 256, scaled with the batch size (default with "
        f"--epochs: {PAPER_BASE_LEARNING_RATE}, as in the paper)",
    )
    rate.add_argument(
        "--learning-rate",
        type=positive_number,
        metavar="RATE",
        help=f"peak learning rate as it is (default with --steps: {SHORT_RUN_LEARNING_RATE})",
    )
    group.add_argument(
        "--warmup",
        type=fraction,
        default=0.1,
        metavar="FRACTION",
        help="part of the training in which the rate rises (default: %(default)s, the paper's 10 "
        "of 100 epochs); then it falls to 0 as a cosine",
    )
    group.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        default="float32",
        help="default: %(default)s",
    )
    group.add_argument(
        "--workers",
        type=non_negative_integer,
        default=0,
        metavar="N",
        help="processes that read audio (default: %(default)s, the training process itself)",
    )
    group.add_argument(
        "--seed", type=non_negative_integer, default=0, metavar="N", help="default: %(default)s"
    )
    group.add_argument("--no-progress", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Pretrain and save; 3 if some files were skipped."""
    given = [name for name in AXLSTM_ONLY if getattr(arguments, name) is not None]
    if arguments.model != "axlstm" and given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        arguments.usage_error(f"{options}: only for --model axlstm")

    with write_aside(arguments.output, overwrite=arguments.overwrite) as folder:
        # Made now, so that a place that cannot be written to is found before the training.
        folder.mkdir()
        skipped = _pretrain(arguments, folder)
    print(f"Saved to {arguments.output}")
    print(
        f"Next: keras-axlstm embed {arguments.folder} --preset {arguments.output} "
        "--output embeddings.npz"
    )
    return skipped


def _pretrain(arguments: argparse.Namespace, folder: Path) -> int:
    """Train, write into `folder`, report; the exit code."""
    choose_backend()

    import keras

    from keras_axlstm.cli.save import save_preset
    from keras_axlstm.cli.training_progress import TrainingProgress
    from keras_axlstm.data import find_audio_files, random_crops
    from keras_axlstm.models import MaskedSpectrogramModel
    from keras_axlstm.training import pretraining_optimizer

    paths = find_audio_files(arguments.folder)
    keras.utils.set_random_seed(arguments.seed)
    encoder = _new_encoder(arguments)
    model = MaskedSpectrogramModel(
        encoder,
        mask_ratio=arguments.mask_ratio,
        mask_mode=arguments.mask_mode,
        loss_on=arguments.loss_on,
        seed=arguments.seed,
    )
    steps, steps_a_row = _training_length(arguments, len(paths))
    base_learning_rate = _base_learning_rate(arguments)
    optimizer = pretraining_optimizer(
        steps_per_epoch=1,
        batch_size=arguments.batch_size,
        epochs=steps,
        warmup_epochs=arguments.warmup * steps,
        base_learning_rate=base_learning_rate,
    )
    model.compile(optimizer=optimizer)
    learning_rate = base_learning_rate * arguments.batch_size / 256
    print(
        f"{len(paths)} files, {steps} steps of {arguments.batch_size} clips, peak learning rate "
        f"{learning_rate:.2g}, {model.count_params():,} parameters"
    )
    progress = TrainingProgress(steps, visible=not arguments.no_progress)
    failures: list[tuple[Path, str]] = []
    start = time.monotonic()
    with warnings.catch_warnings():
        # The files are listed at the end.
        warnings.filterwarnings("ignore", message=".*cannot be read and are skipped")
        crops = random_crops(
            paths,
            batch_size=arguments.batch_size,
            num_frames=encoder.spectrogram_shape[0],
            seed=arguments.seed,
            num_workers=arguments.workers,
            skipped=failures,
        )
        history = model.fit(
            crops,
            epochs=steps // steps_a_row,
            steps_per_epoch=steps_a_row,
            shuffle=False,  # The crops come shuffled.
            verbose=0,
            callbacks=[progress],
        ).history
    seconds = time.monotonic() - start
    _write_history(folder / "history.csv", history, steps_a_row)
    save_preset(model, folder, normalization="clip")
    print(
        f"Loss {progress.first_loss:.4f} at the first step, {history['loss'][-1]:.4f} over the "
        f"last {steps_a_row} ({seconds:.0f} s)"
    )
    return report_skipped(failures, done=len(paths) - len(failures))


def _new_encoder(arguments: argparse.Namespace) -> "SpectrogramEncoder":
    from keras_axlstm.models import SpectrogramEncoder

    options = {name: getattr(arguments, name) for name in (*AXLSTM_ONLY, "patch_size")}
    return SpectrogramEncoder.from_preset(
        f"{arguments.model}_{arguments.size}",
        load_weights=False,
        dtype=arguments.precision,
        **{name: value for name, value in options.items() if value is not None},
    )


def _training_length(arguments: argparse.Namespace, files: int) -> tuple[int, int]:
    """Steps in all, and steps of a row of the history, which divide them."""
    if arguments.steps is None:
        steps_a_row = max(1, files // arguments.batch_size)
        return arguments.epochs * steps_a_row, steps_a_row
    longest = max(1, arguments.steps // HISTORY_ROWS)
    divisors = [length for length in range(1, longest + 1) if arguments.steps % length == 0]
    return arguments.steps, divisors[-1]


def _base_learning_rate(arguments: argparse.Namespace) -> float:
    """Peak learning rate at a batch of 256."""
    if arguments.base_learning_rate is not None:
        return arguments.base_learning_rate
    rate = arguments.learning_rate
    if rate is None and arguments.steps is None:
        return PAPER_BASE_LEARNING_RATE
    return (rate or SHORT_RUN_LEARNING_RATE) * 256 / arguments.batch_size


def _write_history(path: Path, history: dict[str, Sequence[float]], steps_a_row: int) -> None:
    """A row for each stretch of steps: the last of them, and the means over it."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *history])
        for row, values in enumerate(zip(*history.values(), strict=True), start=1):
            writer.writerow([row * steps_a_row, *values])
