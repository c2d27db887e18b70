"""From archives at 48 kHz to task folders at 16 kHz."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from keras_axlstm.cli.main import main
from keras_axlstm.evaluation.tasks import TaskError, read_task
from keras_axlstm.evaluation.tasks.prepare import clip_converter, prepare_tasks
from tests.support.task_folder import write_task

pytestmark = pytest.mark.any_backend

TASK = "animals-1.0-small"


def archive(folder: Path, parent: Path) -> Path:
    """As it is published."""
    path = parent / f"hear2021-{folder.name}-48000.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, f"hear-2021.0.6/tasks/{folder.name}")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def source(tmp_path):
    return write_task(tmp_path / "source", rate=48000)


def test_an_archive(source, tmp_path):
    (source / "LICENSE").write_text("free")
    prepared = prepare_tasks(archive(source, tmp_path), tmp_path / "out")
    folder = tmp_path / "out" / TASK
    assert prepared.made == [folder] and prepared.kept == [] and prepared.clips == 6
    assert [path.name for path in (tmp_path / "out").iterdir()] == [TASK]
    task = read_task(folder)
    for clip in task.splits["fold01"]:
        original, _ = soundfile.read(source / "48000" / "fold01" / clip.path.name)
        expected = soxr.resample(original, 48000, 16000, quality="HQ")
        samples, rate = soundfile.read(clip.path)
        assert rate == 16000
        np.testing.assert_allclose(samples, np.clip(expected, -1, 1), atol=2**-15)
        assert soundfile.info(clip.path).subtype == "PCM_16"
    for name in ("task_metadata.json", "labelvocabulary.csv", "fold02.json", "LICENSE"):
        assert (folder / name).read_bytes() == (source / name).read_bytes()


def test_a_folder_gives_the_same_as_its_archive_in_any_number_of_processes(source, tmp_path):
    prepare_tasks(archive(source, tmp_path), tmp_path / "one")
    prepare_tasks(source, tmp_path / "two", processes=2)
    prepare_tasks(source.parent, tmp_path / "three")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")


def test_the_sample_format_is_kept(source, tmp_path):
    path = source / "48000/fold00/fold00_0.wav"
    soundfile.write(path, np.full(4800, 1.5), 48000, subtype="FLOAT")
    prepare_tasks(source, tmp_path / "out")
    result = tmp_path / "out" / TASK / "16000/fold00/fold00_0.wav"
    assert soundfile.info(result).subtype == "FLOAT"
    assert soundfile.read(result)[0][800] == pytest.approx(1.5, abs=1e-3)


def test_names(tmp_path):
    archives = tmp_path / "archives"
    archives.mkdir()
    for name in ("a", "b", "c"):
        archive(write_task(tmp_path / "source", rate=48000, task_name=name), archives)
    made = prepare_tasks(archives, tmp_path / "out", names=["c", "a-1.0-small"]).made
    assert [path.name for path in made] == ["a-1.0-small", "c-1.0-small"]
    with pytest.raises(ValueError, match="Received: d, but they hold a-1.0-small, b-1.0-small"):
        prepare_tasks(archives, tmp_path / "other", names=["d"])
    assert not (tmp_path / "other").exists()
    rest = prepare_tasks(archives, tmp_path / "out")
    assert [path.name for path in rest.made] == ["b-1.0-small"]
    assert [path.name for path in rest.kept] == ["a-1.0-small", "c-1.0-small"]
    # Named otherwise, only reading tells which task it is.
    (archives / "hear2021-a-1.0-small-48000.tar.gz").rename(tmp_path / "x.tgz")
    assert prepare_tasks(tmp_path / "x.tgz", tmp_path / "out").kept == rest.kept[:1]
    assert len(prepare_tasks(tmp_path / "x.tgz", tmp_path / "new", names=["a"]).made) == 1


class Stop(BaseException):
    """An interruption that nothing catches."""


def test_going_on_after_an_interruption(source, tmp_path, monkeypatch):
    prepare_tasks(source, tmp_path / "expected")
    count = 0

    def stop(*arguments):
        nonlocal count
        count += 1
        if count > 4:
            raise Stop
        return soxr.resample(*arguments, quality="HQ")

    tar = archive(source, tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(clip_converter, "resample", stop)
        prepare_tasks(tar, tmp_path / "out")
    assert not (tmp_path / "out" / TASK).exists()
    assert prepare_tasks(tar, tmp_path / "out").clips == 2
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_what_is_there_is_kept(source, tmp_path):
    prepare_tasks(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    soundfile.write(source / "48000/fold00/fold00_0.wav", np.zeros(4800), 48000)
    assert prepare_tasks(source, tmp_path / "out").clips == 0
    assert contents(tmp_path / "out") == before
    prepare_tasks(source, tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") != before
    (tmp_path / "mine" / TASK).mkdir(parents=True)
    with pytest.raises(FileExistsError, match="is no task at 16000 Hz"):
        prepare_tasks(source, tmp_path / "mine", overwrite=True)
    (tmp_path / "new" / ".preparing" / "thesis").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="holds other files: thesis"):
        prepare_tasks(source, tmp_path / "new")


def test_damaged_audio_is_named_and_other_tasks_are_finished(source, tmp_path):
    write_task(tmp_path / "source", rate=48000, task_name="birds")
    broken = source / "48000" / "fold01" / "fold01_0.wav"
    broken.write_bytes(broken.read_bytes()[:500])
    (source / "48000" / "fold02" / "fold02_0.wav").unlink()
    with pytest.raises(TaskError) as error:
        prepare_tasks(source.parent, tmp_path / "out")
    (damaged, missing) = error.value.problems
    assert damaged[0].name == "fold01_0.wav" and "it is damaged: only" in damaged[1]
    assert str(source) in damaged[1]
    assert missing[0].name == "fold02_0.wav" and missing[1] == "it is missing"
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["birds-1.0-small"]


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (member("../../evil.json"), "leads out of the archive"),
        (member("tasks/a/48000/../../../../evil.wav"), "leads out of the archive"),
        (member("/tasks/a/48000/fold00/evil.wav"), "leads out of the archive"),
        (member("tasks/a/48000/fold00/evil.wav", tarfile.SYMTYPE), "a link or a device"),
        (member("tasks/a/48000/fold00/evil.wav", tarfile.LNKTYPE), "a link or a device"),
        (member("tasks/a/48000/fold00/evil.wav", tarfile.FIFOTYPE), "a link or a device"),
    ],
)
def test_unsafe_archives(tmp_path, info, message):
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.addfile(info, io.BytesIO(b""))
    with pytest.raises(ValueError, match=message):
        prepare_tasks(tmp_path / "evil.tar", tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil.[jw]*"))


def test_links_in_folders(source, tmp_path):
    path = source / "48000/fold00/fold00_0.wav"
    shutil.move(path, tmp_path / "elsewhere.wav")
    path.symlink_to(tmp_path / "elsewhere.wav")
    with pytest.raises(ValueError, match=r"fold00_0.wav is a link"):
        prepare_tasks(source, tmp_path / "out")


def test_bad_sources(source, tmp_path):
    tar = archive(source, tmp_path)
    (tmp_path / "cut.tar.gz").write_bytes(tar.read_bytes()[:5000])
    (tmp_path / "text.tar").write_text("not a tar")
    (tmp_path / "text.txt").write_text("not a tar")
    (tmp_path / "empty").mkdir()
    for name, message in {
        "cut.tar.gz": "is damaged, or not a tar archive",
        "text.tar": "is damaged, or not a tar archive",
        "text.txt": r"Expected an archive \(.tar, .tar.gz, .tgz\) or a folder",
        "empty": "Found none",
        "gone": "does not exist",
    }.items():
        with pytest.raises(ValueError, match=message):
            prepare_tasks(tmp_path / name, tmp_path / "out")
    with pytest.raises(ValueError, match="one source of each task. Received: two of animals"):
        prepare_tasks([tar, source], tmp_path / "out")
    with pytest.raises(ValueError, match="`processes` must be an integer of at least 1"):
        prepare_tasks(source, tmp_path / "out", processes=0)


def test_the_command(source, tmp_path, capsys):
    tar, out = archive(source, tmp_path), tmp_path / "out"
    command = ["prepare-tasks", str(tar), str(out), "--tasks", "all", "--no-progress"]
    assert main(command) == 0
    assert f"made: {out / TASK}\n1 tasks made, 6 clips" in capsys.readouterr().out
    assert main(command) == 0
    assert f"kept: {out / TASK}" in capsys.readouterr().out
    assert main(["prepare-tasks", str(tmp_path / "gone"), str(out)]) == 1
    assert "does not exist" in capsys.readouterr().err
