"""Small pretraining runs for tests."""

import contextlib
import os
from pathlib import Path
from unittest import mock

import h5py
import numpy as np

from keras_axlstm.models import AxLSTMEncoder
from keras_axlstm.training import PretrainConfig, run
from keras_axlstm.training.callbacks.history_log import read_history

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


def small_encoder(config: PretrainConfig) -> AxLSTMEncoder:
    """One block in place of twelve."""
    return AxLSTMEncoder((40, 80), (4, 16), 16, num_layers=1, dtype=config.precision)


def pretrain_small(output: Path, resume: bool = False, overwrite: bool = False, **options):
    """A run with the small encoder; 8 steps of 2 clips, a checkpoint after every other.

    Options are fields of the configuration or arguments of `pretrain`.
    """
    pieces = {name: options.pop(name) for name in ("minutes", "other_data") if name in options}
    values = {"source": EXAMPLES, "steps": 8, "batch_size": 2, "checkpoint_every": 2}
    config = PretrainConfig(**{**values, "output": output, "progress": False, **options})
    with mock.patch.object(run, "new_encoder", small_encoder):
        return run.pretrain(
            config, resume=resume, overwrite=overwrite, report=lambda line: None, **pieces
        )


@contextlib.contextmanager
def crash_after(step: int, error: BaseException):
    """`error` is raised when a step has been taken and its row written, before a checkpoint."""
    from keras_axlstm.training.callbacks.save_checkpoints import SaveCheckpoints

    save = SaveCheckpoints.on_epoch_end

    def crash(self, epoch, logs=None):
        if self._length.step_after_row(epoch) >= step:
            raise error
        save(self, epoch, logs)

    with mock.patch.object(SaveCheckpoints, "on_epoch_end", crash):
        yield


def weights(preset: Path) -> dict[str, np.ndarray]:
    """Every weight of a preset, by name."""
    found = {}
    with h5py.File(preset / "model.weights.h5") as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    with np.load(preset / "masked_spectrogram_model.npz") as file:
        return found | dict(file)


def assert_same_run(first: Path, second: Path) -> None:
    """Bitwise the same weights and the same log, but for the times in it."""
    expected, received = weights(first), weights(second)
    assert received.keys() == expected.keys() and len(expected) > 10
    for name, array in expected.items():
        np.testing.assert_array_equal(received[name], array, err_msg=name)
    logs = [read_history(folder / "history.csv") for folder in (first, second)]
    for log in logs:
        for line in log:
            del line["samples_per_second"]
    assert logs[0] == logs[1]
    assert sorted(os.listdir(first)) == sorted(os.listdir(second))
