import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_axlstm.data import clip_source, random_crops
from keras_axlstm.data.sources import ClipSource
from keras_axlstm.distribution import Distribution, new_distribution
from keras_axlstm.models import MaskedSpectrogramModel, SpectrogramEncoder
from keras_axlstm.models.save_preset import save_preset
from keras_axlstm.plots import check_matplotlib
from keras_axlstm.training.callbacks.history_log import HistoryLog, read_history
from keras_axlstm.training.callbacks.pause import Pause
from keras_axlstm.training.callbacks.tensorboard_log import check_tensorboard
from keras_axlstm.training.checkpoints import Checkpoint
from keras_axlstm.training.fit import fit
from keras_axlstm.training.initial_weights import initial_dynamic_range, load_initial_weights
from keras_axlstm.training.optimizer import pretraining_optimizer, pretraining_schedule
from keras_axlstm.training.pretrain_config import AXLSTM_ONLY, PretrainConfig
from keras_axlstm.training.run_folder import LOG_FILE, RunFolder, unfinished_config
from keras_axlstm.training.run_length import RunLength
from keras_axlstm.training.run_state import read_arrays, write_arrays
from keras_axlstm.training.tracked_batches import TrackedBatches

# Rows that a run should have at least, enough for a curve, and the longest row.
ROWS = 100
LONGEST_ROW = 50


@dataclasses.dataclass(frozen=True)
class PretrainResult:
    """What came of a run.

    Args:
        history: lines of `history.csv` as numbers by column.
        clips: how many there were.
        skipped: path and reason of each clip that could not be read.
        seconds: that the training took, since the last start.
        finished: the run came to its end, and the preset is there. Otherwise it pauses.
    """

    history: list[dict[str, float]]
    clips: int
    skipped: list[tuple[Any, str]]
    seconds: float
    finished: bool = True


def pretrain(
    config: PretrainConfig,
    *,
    resume: bool = False,
    overwrite: bool = False,
    minutes: float | None = None,
    other_data: bool = False,
    distribution: Distribution | None = None,
    report: Callable[[str], None] = print,
) -> PretrainResult:
    """Pretrain as the configuration says, and write a preset.

    While the run lasts, `config.output` holds a folder `unfinished` with checkpoints and logs. A
    run that was interrupted, in whatever way, goes on from its newest checkpoint and ends with the
    weights that it would have had without. An error before the first checkpoint leaves nothing.

    Args:
        config: everything that the result follows from.
        resume: go on with the unfinished run in `config.output`; begin one if there is none.
        overwrite: replace what earlier runs left in `config.output`, finished or not.
        minutes: after which the run pauses, if it has not come to its end: at the end of a row of
            the log, with a checkpoint from which `resume` goes on to the same weights.
        other_data: go on with `config.source` though it has another number of clips than the data
            before; their order is that of the new clips.
        distribution: where it runs; by default this process and its default device.
        report: gets lines of text about the run.

    Raises:
        ValueError: bad data, a configuration other than that of the unfinished run, or a loss that
            is not finite.
        FileExistsError: `config.output` exists, and neither option allows what it takes.
        ImportError: a package that an option needs is missing.
        OSError: files could not be written; the last checkpoint is kept.

    Example:

    ```python
    from keras_axlstm.training import PretrainConfig, pretrain

    pretrain(
        PretrainConfig(source="examples/audio", output="my_preset", steps=2, batch_size=2),
        overwrite=True,
    )
    ```
    """
    if resume and overwrite:
        raise ValueError("`resume` goes on with what `overwrite` removes: give one of them.")
    if distribution is None:
        distribution = new_distribution(config.distribution, config.model_devices)
    distribution.check_batch_size(config.batch_size // config.gradient_accumulation)
    if config.picture_every is not None and distribution.process_count > 1:
        raise ValueError(
            "`picture_every` draws in one process, and the model is spread over "
            f"{distribution.process_count}: leave it out."
        )
    if minutes is not None and (minutes <= 0 or distribution.process_count > 1):
        raise ValueError(
            "`minutes` must be positive, and is for runs in one process. Received: "
            f"{minutes} and {distribution.process_count} processes"
        )
    _check_extras(config)
    source = clip_source(config.source)
    folder = RunFolder(config.output, config.keep_checkpoints)
    config = _with_initial_front_end(config, unfinished_config(config.output) if resume else {})
    if distribution.is_chief:
        folder.open(config, resume, overwrite)
    distribution.barrier()
    try:
        checkpoint = folder.checkpoints.newest_readable()
        with distribution.scope():
            result, arrays = _train(
                config, source, folder, checkpoint, distribution, report, minutes, other_data
            )
    except BaseException:
        if distribution.is_chief and not folder.checkpoints.steps():
            folder.discard()
        raise
    if distribution.is_chief and result.finished:
        # On one device again.
        model = new_model(config)
        write_arrays(model, arrays)
        preset = folder.new_preset_folder()
        save_preset(model, preset, "clip", config.dynamic_range)
        folder.finish(preset)
    distribution.barrier()
    return result


def _with_initial_front_end(config: PretrainConfig, unfinished: dict[str, Any]) -> PretrainConfig:
    """The configuration with the dynamic range of the preset that the run begins with."""
    if config.initial_preset is None or config.dynamic_range is not None:
        return config
    # The preset of an unfinished run may be gone.
    decibels = (
        unfinished.get("dynamic_range")
        if unfinished
        else initial_dynamic_range(config.initial_preset)
    )
    return dataclasses.replace(config, dynamic_range=decibels)


def _train(
    config: PretrainConfig,
    source: ClipSource,
    folder: RunFolder,
    checkpoint: Checkpoint | None,
    distribution: Distribution,
    report: Callable[[str], None],
    minutes: float | None,
    other_data: bool,
) -> tuple[PretrainResult, dict[str, np.ndarray]]:
    """Train from the checkpoint, or from the start, to the end; the variables by name."""
    length = run_length(config, len(source))
    keras.utils.set_random_seed(config.seed)
    model = new_model(config)
    if checkpoint is None and config.initial_preset is not None:
        load_initial_weights(model, config.initial_preset)
    model.compile(optimizer=new_optimizer(config, length))
    model.optimizer.build(model.trainable_variables)
    distribution.prepare(model)
    report(config.to_toml())
    report(
        f"{len(source)} clips, {length.steps} steps of {config.batch_size} clips, peak learning "
        f"rate {config.peak_learning_rate:.2g}, {model.count_params():,} parameters"
    )
    done, state, kept_bytes = 0, None, 0
    if checkpoint is not None:
        if not other_data:
            _check_same_data(checkpoint, len(source))
        write_arrays(model, checkpoint.arrays)
        done, kept_bytes = checkpoint.step, checkpoint.facts["log_bytes"]
        state = checkpoint.data_state
        report(f"Going on from the checkpoint of step {done}")

    failures: list[tuple[Any, str]] = []
    history = HistoryLog(
        folder.log,
        length,
        config.batch_size,
        _schedule(config, length),
        kept_bytes,
        distribution,
    )
    start = time.monotonic()
    pause = Pause(None if minutes is None else 60 * minutes)
    with warnings.catch_warnings():
        # They are in the result.
        warnings.filterwarnings("ignore", message=".*cannot be read and are skipped")
        crops = random_crops(
            source,
            batch_size=config.batch_size // config.gradient_accumulation,
            num_frames=model.encoder.spectrogram_shape[0],
            seed=config.seed,
            num_workers=config.workers,
            dynamic_range=config.dynamic_range,
            skipped=failures,
            process_index=distribution.process_index,
            process_count=distribution.process_count,
        )
        batches = TrackedBatches(crops, length, done, state)
        if done < length.steps:
            fit(
                model,
                batches,
                config,
                length,
                done,
                folder,
                history,
                distribution,
                len(source),
                pause,
            )
    result = PretrainResult(
        read_history(folder.run / LOG_FILE) if distribution.is_chief else [],
        len(source),
        failures,
        time.monotonic() - start,
        finished=not pause.is_due or folder.checkpoints.steps()[-1] == length.steps,
    )
    return result, read_arrays(model, distribution)


def run_length(config: PretrainConfig, clips: int) -> RunLength:
    """How the run divides, for a number of clips."""
    steps_per_epoch = max(1, clips // config.batch_size)
    steps = config.total_steps(steps_per_epoch)
    steps_per_row = config.log_every or min(LONGEST_ROW, max(1, steps // ROWS))
    return RunLength(steps, steps_per_epoch, steps_per_row, config.gradient_accumulation)


def new_model(config: PretrainConfig) -> MaskedSpectrogramModel:
    """The model, with new weights."""
    return MaskedSpectrogramModel(
        new_encoder(config),
        mask_ratio=config.mask_ratio,
        mask_mode=config.mask_mode,
        loss_on=config.loss_on,
        position_on_masked=config.position_on_masked,
        seed=config.seed,
    )


def new_encoder(config: PretrainConfig) -> SpectrogramEncoder:
    """The encoder, with new weights."""
    options = {name: getattr(config, name) for name in (*AXLSTM_ONLY, "patch_size")}
    return SpectrogramEncoder.from_preset(
        f"{config.model}_{config.size}",
        load_weights=False,
        dtype=config.precision,
        **{name: value for name, value in options.items() if value is not None},
    )


def new_optimizer(config: PretrainConfig, length: RunLength) -> keras.optimizers.Optimizer:
    """The optimizer; `compile` adds loss scaling where the precision needs it."""
    parts = config.gradient_accumulation
    return pretraining_optimizer(
        steps_per_epoch=1,
        batch_size=256,
        epochs=length.steps,
        warmup_epochs=config.warmup * length.steps,
        base_learning_rate=config.peak_learning_rate,
        weight_decay=config.weight_decay,
        gradient_accumulation_steps=parts if parts > 1 else None,
    )


def _schedule(config: PretrainConfig, length: RunLength) -> Callable[[int], Any]:
    """The rate by updates, for the log."""
    return pretraining_schedule(
        length.steps, round(config.warmup * length.steps), config.peak_learning_rate
    )


def _check_extras(config: PretrainConfig) -> None:
    if config.tensorboard:
        check_tensorboard()
    if config.picture_every is not None:
        check_matplotlib()


def _check_same_data(checkpoint: Checkpoint, clips: int) -> None:
    expected = checkpoint.facts["clips"]
    if clips != expected:
        raise ValueError(
            f"The run began with {expected} clips, and there are {clips} now: it would not see "
            "each clip once an epoch. Bring the data back as they were, go on with "
            "other_data=True, or start anew with overwrite=True (command line: --overwrite)."
        )
