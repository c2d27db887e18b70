"""Splits: every class in every part, the same for the same names and seed."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError
from keras_axlstm.training.finetuning.labelled_files import LabelledFiles
from keras_axlstm.training.finetuning.split_files import split_files


def files_of(labels, root="clips", parts=None, multi_label=False):
    paths = [Path(root, f"{i}.wav") for i in range(len(labels))]
    names = sorted({name for row in labels for name in row})
    return LabelledFiles(Path(root), paths, labels, parts, names, multi_label)


@given(
    sizes=st.lists(st.integers(3, 40), min_size=2, max_size=5),
    validation=st.floats(0.05, 0.45),
    test=st.floats(0.05, 0.45),
    seed=st.integers(0, 100),
)
def test_each_class_gives_its_share_to_each_part(sizes, validation, test, seed):
    labels = [(f"class {i}",) for i, size in enumerate(sizes) for _ in range(size)]
    parts = split_files(files_of(labels), validation, test, seed)
    assert sorted(i for rows in parts.values() for i in rows) == list(range(len(labels)))
    for part, share in (("validation", validation), ("test", test)):
        counts = Counter(labels[i][0] for i in parts[part])
        for i, size in enumerate(sizes):
            assert 1 <= counts[f"class {i}"] <= max(1, round(share * size))
    assert len({labels[i] for i in parts["train"]}) == len(sizes)


def test_the_draw_follows_from_names_and_seed():
    labels = [("a",), ("b",)] * 20
    here = split_files(files_of(labels), 0.25, 0.25, seed=1)
    assert split_files(files_of(labels, root="/elsewhere/clips"), 0.25, 0.25, seed=1) == here
    assert split_files(files_of(labels), 0.25, 0.25, seed=2) != here
    backwards = files_of(labels)
    backwards.paths.reverse()
    backwards.labels.reverse()
    moved = split_files(backwards, 0.25, 0.25, seed=1)
    assert {part: sorted(39 - i for i in rows) for part, rows in moved.items()} == here


def test_given_parts_stay():
    labels = [("a",), ("b",)] * 6
    given_parts = ["train"] * 8 + ["test"] * 4
    parts = split_files(files_of(labels, parts=given_parts), 0.25, 0.5, seed=0)
    assert parts["test"] == [8, 9, 10, 11]
    assert len(parts["validation"]) == 2 and len(parts["train"]) == 6
    assert split_files(files_of(labels, parts=given_parts), 0, 0, seed=0)["validation"] == []


def test_rare_labels_are_spread():
    labels = [("common", "rare")] * 8 + [("common",)] * 32 + [()] * 4
    parts = split_files(files_of(labels, multi_label=True), 0.25, 0, seed=0)
    assert Counter(labels[i] for i in parts["validation"]) == {
        ("common", "rare"): 2,
        ("common",): 8,
        (): 1,
    }


def test_too_few_files_for_the_parts():
    files = files_of([("a",)] * 5 + [("b",)] * 2)
    with pytest.raises(LabelledDataError, match="'b' has 2 files for 3 parts .train, val"):
        split_files(files, 0.2, 0.2, seed=0)
    assert len(split_files(files, 0.2, 0, seed=0)["validation"]) == 2
