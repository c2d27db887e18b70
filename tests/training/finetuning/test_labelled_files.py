"""Labelled files: folders, manifests, and everything that can be wrong with them."""

import pytest

from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError
from keras_axlstm.training.finetuning.labelled_files import read_classes, read_folder, read_labels


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def manifest(folder, *lines):
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "labels.csv"


def problems_of(function, *arguments):
    with pytest.raises(LabelledDataError) as error:
        function(*arguments)
    return [f"{path}: {reason}" for path, reason in error.value.problems]


def test_a_folder_of_class_folders(tmp_path):
    write(tmp_path, "rain/a.wav", "rain/deep/b.FLAC", "dog bark/c.ogg", ".cache/d.wav", "notes.txt")
    files = read_folder(tmp_path)
    assert files.class_names == ["dog bark", "rain"]
    assert files.names() == ["dog bark/c.ogg", "rain/a.wav", "rain/deep/b.FLAC"]
    assert files.labels == [("dog bark",), ("rain",), ("rain",)]
    assert files.parts is None and not files.multi_label
    assert read_folder(tmp_path, ["rain", "dog bark"]).class_names == ["rain", "dog bark"]


def test_a_folder_of_parts(tmp_path):
    write(tmp_path, "train/a/1.wav", "train/b/2.wav", "val/a/3.wav", "test/b/4.wav")
    files = read_folder(tmp_path)
    parts = dict(zip(files.names(), files.parts, strict=True))
    assert parts == {
        "train/a/1.wav": "train",
        "train/b/2.wav": "train",
        "val/a/3.wav": "validation",
        "test/b/4.wav": "test",
    }
    assert files.class_names == ["a", "b"]


def test_a_manifest(tmp_path):
    write(tmp_path, "x/a.wav", "b.wav", "c.wav")
    lines = ["path,label,split", "x/a.wav,rain,train", "b.wav,wind,train", "c.wav,rain,valid"]
    files = read_labels(manifest(tmp_path, *lines))
    assert files.names() == ["x/a.wav", "b.wav", "c.wav"]
    assert files.parts == ["train", "train", "validation"]
    assert files.class_names == ["rain", "wind"] and not files.multi_label


@pytest.mark.parametrize("column", ["label", "labels"])
def test_several_labels_a_file(tmp_path, column):
    write(tmp_path, "a.wav", "b.wav")
    rows = ["a.wav,rain; wind", "b.wav,rain" if column == "label" else "b.wav,"]
    files = read_labels(manifest(tmp_path, f"file,{column}", *rows))
    assert files.multi_label and files.class_names == ["rain", "wind"]
    assert files.labels[0] == ("rain", "wind")


def test_a_parquet_manifest(tmp_path):
    import pyarrow
    import pyarrow.parquet

    write(tmp_path, "a.wav", "b.wav")
    table = pyarrow.table({"path": ["a.wav", "b.wav"], "label": ["rain", "wind"]})
    pyarrow.parquet.write_table(table, tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet").labels == [("rain",), ("wind",)]


@pytest.mark.parametrize(
    ("names", "classes", "expected"),
    [
        (["rain/a.wav"], None, "at least 2 classes, received: rain"),
        ([], None, "a sub-folder of audio files for each class, found none"),
        (["rain/a.wav", "wind/notes.txt"], None, "wind: the class has no audio files"),
        (
            ["rain/a.wav", "wind/b.wav", "c.wav"],
            None,
            "for each class, found c.wav",
        ),
        (
            ["rain/a.wav", "fog/b.wav"],
            ["rain", "wind"],
            "'fog' is not in the list of cl",
        ),
        (["rain/a.wav", "wind/b.wav"], ["fog", "rain", "wind"], "the class 'fog' has no files"),
        (["train/a/1.wav", "train/b/2.wav", "test/c/3.wav"], None, "'c' has no files in the part"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path, names, classes, expected):
    (problem,) = problems_of(read_folder, write(tmp_path, *names), classes)
    assert expected in problem


def test_a_folder_that_is_not_there(tmp_path):
    assert "a path that does not exist" in problems_of(read_folder, tmp_path / "no")[0]
    assert "received a file" in problems_of(read_folder, write(tmp_path, "file") / "file")[0]


@pytest.mark.parametrize(
    ("lines", "classes", "expected"),
    [
        (["label", "rain"], None, ["expected a column `path` or `file`"]),
        (["path,class", "a.wav,rain"], None, ["`label` or `labels`, received path, class"]),
        (["path,label"], None, ["received no rows", "received no rows"]),
        (["path,label", "a.wav"], None, ["expected 2 values"]),
        (["path,label,start", "a.wav,rain,1"], None, ["cut them"]),
        (
            ["path,label", "a.wav,rain", "no.wav,wind", "nor.wav,"],
            None,
            ["row 2: the file", "row 3: the file", "row 3: expected a label"],
        ),
        (["path,label", "a.wav,rain", "b.wav,rain"], None, ["at least 2 classes"]),
        (["path,label", "a.wav,rain", "b.wav,fog"], ["rain", "wind"], ["row 2: the label 'fog'"]),
        (["path,label", "a.wav,rain", "./a.wav,wind"], None, ["a.wav 2 times"]),
        (["path,label,split", "a.wav,rain,eval", "b.wav,wind,train"], None, ["received 'eval'"]),
        (
            ["path,label,split", "a.wav,rain,test", "b.wav,wind,train"],
            None,
            ["'rain' has no files"],
        ),
    ],
)
def test_manifests_that_cannot_be_used(tmp_path, lines, classes, expected):
    write(tmp_path, "a.wav", "b.wav")
    problems = problems_of(read_labels, manifest(tmp_path, *lines), classes)
    assert len(problems) == len(expected)
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem


def test_lists_of_classes(tmp_path):
    (tmp_path / "classes.txt").write_text("wind\n\n  rain \n", encoding="utf-8")
    assert read_classes(tmp_path / "classes.txt") == ["wind", "rain"]
    (tmp_path / "twice.txt").write_text("wind\nwind\n")
    assert "found twice: wind" in problems_of(read_classes, tmp_path / "twice.txt")[0]
    (tmp_path / "none.txt").write_text("\n")
    assert "found none" in problems_of(read_classes, tmp_path / "none.txt")[0]
    assert "cannot be read" in problems_of(read_classes, tmp_path / "no.txt")[0]
