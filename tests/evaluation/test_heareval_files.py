"""The files of heareval: what is written, what is read, what is refused."""

import json
import pickle
import random

import numpy as np
import pytest

from keras_axlstm.evaluation.heareval_files import read_heareval_files, write_heareval_files
from tests.evaluation.probe_cases import make_kfold_task, make_task

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize("task", [make_task(), make_task(True), make_kfold_task()])
def test_what_is_written_is_read(task, tmp_path):
    write_heareval_files(task, tmp_path / "task")
    read = read_heareval_files(tmp_path / "task")
    for name in ("name", "prediction_type", "split_mode", "evaluation", "labels"):
        assert getattr(read, name) == getattr(task, name)
    assert list(read.splits) == list(task.splits)
    shuffler = random.Random(0)
    for name, split in task.splits.items():
        order = list(range(len(split.targets)))
        shuffler.shuffle(order)
        assert np.array_equal(read.splits[name].embeddings, split.embeddings[order])
        assert np.array_equal(read.splits[name].targets, split.targets[order])


def test_the_files_are_those_of_heareval(tmp_path):
    task = make_task(True)
    write_heareval_files(task, tmp_path / "task")
    folder = tmp_path / "task"
    shape = json.loads((folder / "test.embedding-dimensions.json").read_text())
    raw = np.memmap(folder / "test.embeddings.npy", np.float32, "r", shape=tuple(shape))
    labels = pickle.loads((folder / "test.target-labels.pkl").read_bytes())
    expected = {
        row.tobytes(): [task.labels[i] for i in np.flatnonzero(targets)]
        for row, targets in zip(
            task.splits["test"].embeddings, task.splits["test"].targets, strict=True
        )
    }
    assert [expected[row.tobytes()] for row in raw] == labels
    assert (folder / "labelvocabulary.csv").read_text().split() == [
        "idx,label",
        *(f"{i},{label}" for i, label in enumerate(task.labels)),
    ]


def test_a_folder_is_not_overwritten_unasked(tmp_path):
    write_heareval_files(make_task(), tmp_path / "task")
    with pytest.raises(FileExistsError):
        write_heareval_files(make_task(), tmp_path / "task")
    write_heareval_files(make_task(), tmp_path / "task", overwrite=True)


class Evil:
    def __reduce__(self):
        return (open, ("run", "w"))


def test_bad_files_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_heareval_files(make_task(), "task")
    folder = tmp_path / "task"
    for file, content, message in [
        ("train.target-labels.pkl", pickle.dumps([Evil()]), "nothing else"),
        ("train.target-labels.pkl", pickle.dumps([["a"]]), "labels of 90 clips, received 1"),
        ("train.target-labels.pkl", pickle.dumps([["x"]] * 90), r"\['x'\] in clip 0"),
        ("train.target-labels.pkl", pickle.dumps({"a": 1}), "list of lists"),
        ("train.target-labels.pkl", b"", "nothing else"),
        ("train.embeddings.npy", b"1234", "as many float32 numbers"),
        ("train.embedding-dimensions.json", b"{", "expected JSON"),
        ("labelvocabulary.csv", b"idx,label\n1,a\n", "idx from 0"),
        ("labelvocabulary.csv", b"index\n1\n", "columns idx and label"),
        ("task_metadata.json", b"{}", "expected the keys"),
        ("task_metadata.json", b"[]", "expected an object"),
    ]:
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(content)
        with pytest.raises(ValueError, match=f"{file}: .*{message}"):
            read_heareval_files(folder)
        (folder / file).write_bytes(before)
    assert not (tmp_path / "run").exists()
    metadata = json.loads((folder / "task_metadata.json").read_text()) | {"embedding_type": "event"}
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="embedding_type 'scene', received 'event'"):
        read_heareval_files(folder)
