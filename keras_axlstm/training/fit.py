"""`fit` of Keras with all that a run does beside it."""

from typing import Any

from keras_axlstm.distribution import Distribution
from keras_axlstm.models import MaskedSpectrogramModel
from keras_axlstm.training.callbacks.history_log import HistoryLog
from keras_axlstm.training.callbacks.pause import Pause
from keras_axlstm.training.callbacks.progress_bar import ProgressBar
from keras_axlstm.training.callbacks.save_checkpoints import SaveCheckpoints
from keras_axlstm.training.callbacks.stop_at_the_end import StopAtTheEnd
from keras_axlstm.training.callbacks.stop_if_not_finite import StopIfNotFinite
from keras_axlstm.training.callbacks.tensorboard_log import TensorBoardLog
from keras_axlstm.training.pretrain_config import PretrainConfig
from keras_axlstm.training.run_folder import RunFolder
from keras_axlstm.training.run_length import RunLength
from keras_axlstm.training.tracked_batches import TrackedBatches


def fit(
    model: MaskedSpectrogramModel,
    batches: TrackedBatches,
    config: PretrainConfig,
    length: RunLength,
    done: int,
    folder: RunFolder,
    history: HistoryLog,
    distribution: Distribution,
    clips: int,
    pause: Pause,
) -> None:
    """Train a compiled model from a step to the end of the run, or until it pauses.

    Args:
        model: of the run.
        batches: from the step on.
        config: of the run.
        length: of the run.
        done: steps that were done before.
        folder: of the run.
        history: writes the log.
        distribution: where it runs.
        clips: of the data.
        pause: ends it early.
    """
    is_chief = distribution.is_chief
    bar = ProgressBar(length, done, config.batch_size, visible=config.progress and is_chief)
    # The order matters: nothing is written of a loss that is not finite, and a checkpoint knows
    # what the others wrote.
    callbacks = [
        StopIfNotFinite(length, folder.checkpoints),
        StopAtTheEnd(length),
        bar,
        history,
        pause,
    ]
    to_close: list[Any] = [bar]
    if config.tensorboard and is_chief:
        callbacks.append(TensorBoardLog(folder.tensorboard, history, done))
        to_close.append(callbacks[-1])
    if config.picture_every is not None:
        from keras_axlstm.training.callbacks.reconstruction_pictures import ReconstructionPictures

        callbacks.append(
            ReconstructionPictures(folder.pictures, length, batches, config.picture_every, is_chief)
        )
    callbacks.append(
        SaveCheckpoints(
            folder.checkpoints,
            length,
            config.checkpoint_every,
            batches,
            distribution,
            pause,
            facts=lambda: {"log_bytes": history.size(), "clips": clips},
        )
    )
    try:
        shape = (
            config.batch_size // config.gradient_accumulation // distribution.process_count,
            *model.encoder.spectrogram_shape,
        )
        model.fit(
            distribution.batches(batches, shape),
            epochs=length.rows,
            initial_epoch=length.rows_until(done),
            steps_per_epoch=length.steps_per_row * length.batches_per_step,
            shuffle=False,  # The crops come shuffled.
            verbose=0,
            callbacks=callbacks,
        )
    finally:
        for each in to_close:
            each.close()
