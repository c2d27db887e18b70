"""Outputs are complete or absent, and nothing else is lost."""

import os

import pytest

from keras_axlstm.files import write_aside

pytestmark = pytest.mark.any_backend


def write_folder(path, **files):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_text(content)


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "out.npz"
    with write_aside(target) as unfinished:
        assert unfinished.parent == tmp_path and unfinished.name.endswith("out.npz")
        assert not unfinished.exists()
        unfinished.write_text("new")
        assert not target.exists()
    assert contents(tmp_path) == {"out.npz": "new"}


def test_a_folder_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "preset"
    with write_aside(str(target)) as unfinished:
        write_folder(unfinished, config="c", weights="w")
        assert not target.exists()
    assert os.listdir(tmp_path) == ["preset"]
    assert contents(target) == {"config": "c", "weights": "w"}


def test_missing_parents_are_made(tmp_path):
    with write_aside(tmp_path / "a" / "b" / "out") as unfinished:
        unfinished.write_text("new")
    assert contents(tmp_path / "a" / "b") == {"out": "new"}


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), SystemExit(1)])
@pytest.mark.parametrize("write", ["nothing", "file", "folder"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_leaves_everything_as_it_was(tmp_path, error, write, overwrite):
    target = tmp_path / "out"
    if overwrite:
        target.write_text("old")
    with pytest.raises(type(error)):
        with write_aside(target, overwrite) as unfinished:
            if write == "file":
                unfinished.write_text("half")
            elif write == "folder":
                write_folder(unfinished, config="half")
            raise error
    assert contents(tmp_path) == ({"out": "old"} if overwrite else {})


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_existing_output_is_refused_before_any_work(tmp_path, kind):
    target = tmp_path / "out"
    target.write_text("old") if kind == "file" else write_folder(target, config="old")
    with pytest.raises(FileExistsError, match=r"out exists already.*overwrite=True.*--overwrite"):
        with write_aside(target):
            pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == ["out"]


def test_files_are_overwritten_on_request(tmp_path):
    target = tmp_path / "out"
    target.write_text("old")
    with write_aside(target, overwrite=True) as unfinished:
        unfinished.write_text("new")
        assert target.read_text() == "old"
    assert contents(tmp_path) == {"out": "new"}


def test_overwrite_needs_no_existing_output(tmp_path):
    with write_aside(tmp_path / "out", overwrite=True) as unfinished:
        unfinished.write_text("new")
    assert contents(tmp_path) == {"out": "new"}


def test_folders_are_overwritten_on_request(tmp_path):
    target = tmp_path / "preset"
    write_folder(target, config="old")
    with write_aside(target, overwrite=True) as unfinished:
        write_folder(unfinished, config="new", weights="w")
        assert contents(target) == {"config": "old"}
    assert os.listdir(tmp_path) == ["preset"]
    assert contents(target) == {"config": "new", "weights": "w"}


def test_a_file_gives_way_to_a_folder_and_back(tmp_path):
    target = tmp_path / "out"
    target.write_text("old")
    with write_aside(target, overwrite=True) as unfinished:
        write_folder(unfinished)
    assert target.is_dir() and os.listdir(tmp_path) == ["out"]
    with write_aside(target, overwrite=True) as unfinished:
        unfinished.write_text("new")
    assert contents(tmp_path) == {"out": "new"}


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    target = tmp_path / "music"
    write_folder(target, song="old", config="old")
    with pytest.raises(FileExistsError, match=r"other files: song\. The finished output is kept"):
        with write_aside(target, overwrite=True) as unfinished:
            write_folder(unfinished, config="new")
    assert contents(target) == {"song": "old", "config": "old"}
    assert contents(unfinished) == {"config": "new"}


def test_an_output_that_appears_meanwhile_is_kept_and_so_is_ours(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(FileExistsError, match="meanwhile"):
        with write_aside(target) as unfinished:
            unfinished.write_text("ours")
            target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert unfinished.read_text() == "ours"


def test_a_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target = tmp_path / "preset"
    write_folder(target, config="old")
    rename = os.rename

    def failing_rename(source, destination):
        if ".unfinished-" in str(source):
            raise OSError("no space")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", failing_rename)
    with pytest.raises(OSError, match="no space"):
        with write_aside(target, overwrite=True) as unfinished:
            write_folder(unfinished, config="new")
    assert contents(target) == {"config": "old"}


def test_writing_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="Nothing was written"):
        with write_aside(tmp_path / "out"):
            pass
    assert os.listdir(tmp_path) == []


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "run1").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "run1")
    with write_aside(tmp_path / "latest" / "out") as unfinished:
        unfinished.write_text("new")
    assert contents(tmp_path / "run1") == {"out": "new"}
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "run1" / "out")
    with write_aside(link, overwrite=True) as unfinished:
        unfinished.write_text("newer")
    assert link.is_symlink() and contents(tmp_path / "run1") == {"out": "newer"}
