import os
import shutil
from pathlib import Path
from typing import Any

from keras_axlstm.files import write_aside
from keras_axlstm.training.checkpoints import Checkpoints, sync_folder
from keras_axlstm.training.pretrain_config import PretrainConfig, read_config

CONFIG_FILE = "pretrain.toml"
LOG_FILE = "history.csv"
PICTURES = "pictures"
TENSORBOARD = "tensorboard"
PRESET_FILES = (
    "audio_converter.json",
    "masked_spectrogram_model.json",
    "masked_spectrogram_model.npz",
    "metadata.json",
    "model.weights.h5",
)
# Without it nothing loads: it is put in its place last.
LAST_FILE = "config.json"
RESULTS = {CONFIG_FILE, LOG_FILE, PICTURES, TENSORBOARD, *PRESET_FILES, LAST_FILE}

_RUN = "unfinished"
_FINISHED = ".finished"
_STARTING = ".unfinished-"


class RunFolder:
    """The output folder of a run.

    While the run lasts, everything of it is in the folder `unfinished` inside: configuration,
    `history.csv`, checkpoints, pictures. An earlier result beside it stays usable until the new one
    is complete and takes its place.

    Args:
        output: path of the folder.
        keep_checkpoints: see `Checkpoints`.
    """

    def __init__(self, output: str | os.PathLike[str], keep_checkpoints: int) -> None:
        self.output = Path(os.path.realpath(output))
        self.run = self.output / _RUN
        self.log = self.run / LOG_FILE
        self.pictures = self.run / PICTURES
        self.tensorboard = self.run / TENSORBOARD
        self.checkpoints = Checkpoints(self.run / "checkpoints", keep_checkpoints)

    def open(self, config: PretrainConfig, resume: bool, overwrite: bool) -> None:
        """Make the folder of a new run, or check that an unfinished one may go on.

        Raises:
            FileExistsError: there is something that was not asked to be replaced or continued.
            ValueError: the unfinished run has another configuration.
        """
        if self.output.exists() and not self.output.is_dir():
            raise FileExistsError(f"{self.output} is a file. Choose another name.")
        if self.run.exists() and resume:
            stored = PretrainConfig.load(self.run / CONFIG_FILE)
            if differences := config.differences(stored):
                raise ValueError(
                    f"The run in {self.output} began with another configuration. Go on with the "
                    "same, or start anew with overwrite=True (command line: --overwrite). "
                    f"Different: {', '.join(differences)}"
                )
            return
        if self.output.exists() and not overwrite:
            raise FileExistsError(self._advice())
        self._refuse_other_files()
        self._clear()
        with write_aside(self.run) as folder:
            folder.mkdir()
            config.save(folder / CONFIG_FILE)

    def discard(self) -> None:
        """Remove the unfinished run, and the output folder if nothing else is in it."""
        self._clear()
        if self.output.is_dir() and not os.listdir(self.output):
            self.output.rmdir()

    def finish(self, preset: Path) -> None:
        """Move a complete preset and the logs of the run to the output folder.

        A crash on the way leaves the checkpoints, so that the run can go on and do this again.

        Args:
            preset: folder inside the run's with the files of the preset.
        """
        for name in (CONFIG_FILE, LOG_FILE):
            shutil.copyfile(self.run / name, preset / name)
        for folder in (self.pictures, self.tensorboard):
            if folder.exists():
                shutil.copytree(folder, preset / folder.name)
        for path in preset.rglob("*"):
            if path.is_file():
                _sync_file(path)
        names = sorted(os.listdir(preset), key=lambda name: name == LAST_FILE)
        for name in RESULTS - set(names):
            _remove(self.output / name)
        for name in names:
            if (preset / name).is_dir():
                _remove(self.output / name)
            os.replace(preset / name, self.output / name)
        sync_folder(self.output)
        self._clear()

    def new_preset_folder(self) -> Path:
        """An empty place inside the run's folder for the files of the preset."""
        folder = self.run / "preset"
        _remove(folder)
        folder.mkdir()
        return folder

    def _advice(self) -> str:
        if not self.run.exists():
            return (
                f"{self.output} exists already. Choose another name, or replace it with "
                "overwrite=True (command line: --overwrite)."
            )
        steps = self.checkpoints.steps()
        return (
            f"{self.output} holds an unfinished run, with a checkpoint of step "
            f"{steps[-1] if steps else 0}. Go on with resume=True (command line: --resume), or "
            "drop it and start anew with overwrite=True (--overwrite)."
        )

    def _refuse_other_files(self) -> None:
        """Raise if the folder is not one of ours: replacing it could lose something."""
        names = os.listdir(self.output) if self.output.exists() else []
        others = sorted(
            name
            for name in names
            if name not in RESULTS | {_RUN, _FINISHED} and not name.startswith(_STARTING)
        )
        if others:
            raise FileExistsError(
                f"The folder {self.output} is not replaced, because it holds other files: "
                f"{', '.join(others[:5])}{', ...' if len(others) > 5 else ''}. Choose another "
                "name, or empty it first."
            )

    def _clear(self) -> None:
        """Remove the run's folder in one step as others see it, and what crashes left."""
        if not self.output.is_dir():
            return
        _remove(self.output / _FINISHED)
        if self.run.exists():
            os.rename(self.run, self.output / _FINISHED)
        for path in list(self.output.iterdir()):
            if path.name == _FINISHED or path.name.startswith(_STARTING):
                _remove(path)


def unfinished_config(output: str | os.PathLike[str]) -> dict[str, Any]:
    """The configuration of the unfinished run in a folder; empty if there is none."""
    path = Path(output) / _RUN / CONFIG_FILE
    return read_config(path) if path.exists() else {}


def _sync_file(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
