"""The output folder: what is refused, what stays, what a crash at the end leaves."""

import os
from pathlib import Path

import numpy as np
import pytest

from keras_axlstm.training import PretrainConfig
from keras_axlstm.training.checkpoints import Checkpoint
from keras_axlstm.training.run_folder import LAST_FILE, PRESET_FILES, RunFolder, unfinished_config

pytestmark = pytest.mark.any_backend


@pytest.fixture
def output(tmp_path):
    return tmp_path / "preset"


def config(output, **values):
    return PretrainConfig(source="sounds", output=output, **values)


def open_run(output, resume=False, overwrite=False, **values):
    folder = RunFolder(output, keep_checkpoints=2)
    folder.open(config(output, **values), resume, overwrite)
    return folder


def save_checkpoint(folder, step):
    folder.checkpoints.save(Checkpoint(step, ["{}"], {}, {"model_0000": np.zeros(3)}))


def finish(folder, content):
    folder.log.write_text(content)
    preset = folder.new_preset_folder()
    for name in (*PRESET_FILES, LAST_FILE):
        (preset / name).write_text(content)
    folder.finish(preset)


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_a_finished_run_leaves_its_results_alone(output):
    folder = open_run(output, seed=3)
    save_checkpoint(folder, 2)
    (folder.pictures / "step").mkdir(parents=True)
    finish(folder, "first")
    assert sorted(os.listdir(output)) == sorted(
        [*PRESET_FILES, LAST_FILE, "history.csv", "pictures", "pretrain.toml"]
    )
    assert PretrainConfig.load(output / "pretrain.toml").seed == 3


def test_a_new_run_begins_in_no_folder_only(output):
    open_run(output)
    assert unfinished_config(output) == config(output).as_dict()
    with pytest.raises(FileExistsError, match=r"unfinished run, .* step 0\. .*--resume.*overwrite"):
        open_run(output)


def test_an_unfinished_run_goes_on_or_is_dropped_when_asked(output):
    save_checkpoint(open_run(output), 4)
    with pytest.raises(FileExistsError, match=r"a checkpoint of step 4\. Go on with resume=True"):
        open_run(output)
    assert open_run(output, resume=True, progress=False).checkpoints.steps() == [4]
    assert open_run(output, overwrite=True).checkpoints.steps() == []


def test_another_configuration_does_not_go_on(output):
    open_run(output)
    with pytest.raises(ValueError, match=r"Different: batch_size \(4, not 1024\), seed \(1, not 0"):
        open_run(output, resume=True, batch_size=4, seed=1)


def test_a_result_stays_until_the_new_one_is_complete(output):
    finish(open_run(output), "first")
    for resume in (False, True):
        with pytest.raises(FileExistsError, match=r"exists already.*--overwrite"):
            open_run(output, resume=resume)
    before = contents(output)
    folder = open_run(output, overwrite=True)
    assert contents(output) == before
    folder.discard()
    assert contents(output) == before
    finish(open_run(output, overwrite=True), "second")
    assert set(contents(output).values()) - {before["pretrain.toml"]} == {"second"}


def test_pictures_of_the_earlier_result_go_with_it(output):
    folder = open_run(output)
    folder.pictures.mkdir()
    finish(folder, "first")
    finish(open_run(output, overwrite=True), "second")
    assert "pictures" not in os.listdir(output)


def test_a_crash_while_the_results_move_is_mended(output, monkeypatch):
    folder = open_run(output)
    save_checkpoint(folder, 8)
    replace = os.replace

    def crash(source, target):
        if Path(target) == output / LAST_FILE:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        finish(folder, "first")
    monkeypatch.undo()
    # Nothing loads what is not complete, and the checkpoint is there.
    assert LAST_FILE not in os.listdir(output)
    folder = open_run(output, resume=True)
    assert folder.checkpoints.steps() == [8]
    finish(folder, "first")
    assert LAST_FILE in os.listdir(output) and not folder.run.exists()


def test_what_crashes_left_is_swept_up(output):
    finish(open_run(output), "first")
    for name in (".finished", ".unfinished-0123-unfinished"):
        (output / name).mkdir()
    open_run(output, overwrite=True)
    assert not [name for name in os.listdir(output) if name.startswith(".")]


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "song.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        open_run(tmp_path)
    with pytest.raises(FileExistsError, match=r"holds other files: song\.txt"):
        open_run(tmp_path, overwrite=True)
    assert contents(tmp_path) == {"song.txt": "mine"}


def test_a_file_is_no_folder(output):
    output.write_text("mine")
    with pytest.raises(FileExistsError, match="is a file"):
        open_run(output, overwrite=True)


def test_discarding_leaves_nothing(output):
    open_run(output).discard()
    assert not output.exists()
