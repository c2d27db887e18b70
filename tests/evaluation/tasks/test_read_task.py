"""Reading task folders, and what is said of those that are broken."""

import json
import pickle
import shutil

import numpy as np
import pytest
import soundfile

from keras_axlstm.evaluation.tasks import Clip, Event, TaskError, read_task, read_tasks
from tests.support.task_folder import FOLDS, write_task

pytestmark = pytest.mark.any_backend


def problems(folder) -> list[tuple[str, str]]:
    with pytest.raises(TaskError) as error:
        read_task(folder)
    return [(str(path.relative_to(folder)), reason) for path, reason in error.value.problems]


def test_folds(tmp_path):
    folder = write_task(tmp_path)
    task = read_task(folder)
    assert (task.name, task.version, task.mode) == ("animals", "1.0", "small")
    assert (task.embedding_type, task.prediction_type) == ("scene", "multiclass")
    assert task.split_mode == "presplit_kfold" and task.sample_duration == 0.1
    assert task.evaluation == ("top1_acc", "mAP") and task.labels == ("cat", "dog", "owl")
    assert tuple(task.splits) == FOLDS and task.folder == folder
    assert task.splits["fold01"] == (
        Clip(folder / "16000/fold01/fold01_0.wav", ("cat",)),
        Clip(folder / "16000/fold01/fold01_1.wav", ("owl",)),
    )


def test_splits_of_a_multi_label_task(tmp_path):
    splits = ("train", "valid", "test")
    annotations = {split: {f"{split}.wav": [], f"{split}2.wav": ["owl", "cat"]} for split in splits}
    folder = write_task(
        tmp_path,
        annotations,
        prediction_type="multilabel",
        split_mode="trainvaltest",
        splits=list(splits),
        nfolds=None,
        sample_duration=None,
        evaluation=["mAP", "d_prime", "aucroc", "top1_acc"],
    )
    task = read_task(folder)
    assert task.sample_duration is None
    assert [clip.labels for clip in task.splits["test"]] == [(), ("owl", "cat")]


def test_events(tmp_path):
    knock = {"label": "dog", "start": 20, "end": 50.5}
    annotations = {
        split: {f"{split}.wav": [knock, {"label": "cat", "start": 0.0, "end": 90.0}]}
        for split in FOLDS
    }
    annotations["fold02"]["quiet.wav"] = []
    events = {"embedding_type": "event", "prediction_type": "multilabel"}
    scores = ["event_onset_200ms_fms", "segment_1s_er"]
    folder = write_task(tmp_path, annotations, evaluation=scores, **events)
    task = read_task(folder)
    first = task.splits["fold00"][0]
    assert first.labels == ()
    assert first.events == (Event("cat", 0.0, 90.0), Event("dog", 20.0, 50.5))
    assert task.splits["fold02"][1].events == ()
    assert task.event_postprocessing_grid == {}
    file = folder / "task_metadata.json"
    grid = {"median_filter_ms": [150], "min_duration": [50, 60.5]}
    parameters = {"evaluation_params": {"event_postprocessing_grid": grid}}
    file.write_text(json.dumps(json.loads(file.read_text()) | parameters))
    grid = read_task(folder).event_postprocessing_grid
    assert grid == {"median_filter_ms": (150.0,), "min_duration": (50.0, 60.5)}

    annotations["fold00"]["fold00.wav"] = [
        {"label": "dog", "start": 30, "end": 20},
        {"label": "cow", "start": 0, "end": 20},
        {"label": "dog", "start": 30},
        "dog",
    ]
    (folder / "fold00.json").write_text(json.dumps(annotations["fold00"]))
    assert [reason for _, reason in problems(folder)] == [
        "fold00.wav: an event from 30 ms to 20 ms",
        "fold00.wav: the label 'cow' is not in the vocabulary",
        "fold00.wav: an event has a label, a start and an end in milliseconds. Received: "
        "{'label': 'dog', 'start': 30}",
        "fold00.wav: an event has a label, a start and an end in milliseconds. Received: 'dog'",
    ]


def test_early_metadata_and_labels_that_are_numbers(tmp_path):
    annotations = {split: {f"{split}.wav": [60 + i]} for i, split in enumerate(FOLDS)}
    folder = write_task(
        tmp_path,
        annotations,
        vocabulary=(60, 61, 62),
        **dict.fromkeys(("mode", "version", "splits", "nfolds", "sample_duration")),
        evaluation=["pitch_acc", "chroma_acc"],
    )
    task = read_task(folder)
    assert task.mode == "small" and task.version == "" and tuple(task.splits) == FOLDS
    assert task.labels == ("60", "61", "62") and task.splits["fold02"][0].labels == ("62",)


def test_every_problem_is_listed(tmp_path):
    annotations = {
        "fold00": {"gone.wav": ["cat"], "low.wav": ["cat"], "stereo.wav": ["cat"]},
        "fold01": {"two.wav": ["cat", "dog"], "none.wav": [], "cow.wav": ["cow"]},
        "fold02": {},
    }
    folder = write_task(tmp_path, annotations)
    audio = folder / "16000" / "fold00"
    (audio / "gone.wav").unlink()
    soundfile.write(audio / "low.wav", np.zeros(800), 8000)
    soundfile.write(audio / "stereo.wav", np.zeros((1600, 2)), 16000)
    assert problems(folder) == [
        ("16000/fold00/gone.wav", "it is missing"),
        ("16000/fold00/low.wav", "expected 16000 Hz, found 8000 Hz"),
        ("16000/fold00/stereo.wav", "expected mono, found 2 channels"),
        (
            "fold01.json",
            "two.wav: a clip of a multi-class task has one label, this one has 2: cat, dog",
        ),
        ("fold01.json", "none.wav: a clip of a multi-class task has one label, this one has 0"),
        ("fold01.json", "cow.wav: the label 'cow' is not in the vocabulary"),
        ("fold02.json", "the split is empty"),
    ]
    with pytest.raises(TaskError, match="7 problems with the tasks:\n  .*gone.wav: it is missing"):
        read_task(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"no sound at all", "it is not a wav file"),
        (lambda wav: wav[:20], "it is damaged: its format is cut off"),
        (lambda wav: wav[:36], "it is damaged: it ends before its samples"),
        (lambda wav: wav[:1000], "it is damaged: only 956 of 3200 bytes of samples are there"),
        (lambda wav: wav[:40] + bytes(4), "it has no samples"),
    ],
)
def test_damaged_audio(tmp_path, content, reason):
    folder = write_task(tmp_path)
    path = folder / "16000/fold02/fold02_1.wav"
    path.write_bytes(content(path.read_bytes()) if callable(content) else content)
    assert problems(folder) == [("16000/fold02/fold02_1.wav", reason)]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
def test_kinds_of_wav_files(tmp_path, subtype, container):
    folder = write_task(tmp_path)
    path = folder / "16000/fold02/fold02_1.wav"
    soundfile.write(path, np.zeros(777), 16000, subtype=subtype, format=container)
    read_task(folder)
    soundfile.write(path, np.zeros(777), 22050, subtype=subtype, format=container)
    assert problems(folder)[0][1] == "expected 16000 Hz, found 22050 Hz"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"embedding_type": "clip"}, "`embedding_type` must be one of scene, event."),
        ({"prediction_type": None}, "multiclass, multilabel. Received: nothing"),
        ({"split_mode": "kfold"}, "`split_mode` must be one of trainvaltest, new_split_kfold"),
        ({"split_mode": "trainvaltest"}, "`splits` must be train, valid, test. Received: fold00"),
        ({"evaluation": ["accuracy"]}, "d_prime, aucroc. Received: 'accuracy'"),
        ({"evaluation": []}, "`evaluation` must be a list of scores. Received: []"),
        ({"evaluation": ["mAP", "mAP"]}, "names a score twice"),
        ({"sample_duration": 0}, "`sample_duration` must be a positive number of seconds"),
        ({"splits": ["fold00", "fold01"], "nfolds": 2}, "expected at least 3 folds, received 2"),
        ({"splits": ["fold00", "fold01", "a"]}, "named fold00, fold01, ... Received: 'a'"),
        ({"splits": ["fold00"] * 3}, "names a split twice"),
        ({"nfolds": 5}, "`nfolds` is 5, but `splits` has 3 names"),
        *[
            (
                {"evaluation_params": {"event_postprocessing_grid": grid}},
                "lists of numbers for median_filter_ms, min_duration, threshold",
            )
            for grid in (
                [],
                {"gap": [1]},
                {"threshold": [1.0]},
                {"min_duration": 5},
                {"threshold": []},
            )
        ],
        ({"task_name": 3}, "`task_name` must be a name. Received: 3"),
    ],
)
def test_bad_metadata(tmp_path, change, reason):
    folder = write_task(tmp_path)
    file = folder / "task_metadata.json"
    content = json.loads(file.read_text()) | change
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    ((name, said),) = problems(folder)
    assert name == "task_metadata.json" and reason in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("idx,label\n0,cat\n1,cat\n2,owl\n", "the label 'cat' is there twice"),
        ("idx,label\n0,cat\n0,dog\n2,owl\n", "the index 0 is there twice"),
        ("idx,label\n0,cat\n1,dog\n3,owl\n", "the indices must be 0 to 2. Received: [0, 1, 3]"),
        ("label,idx\ncat,0\n", "the first line must be idx,label. Received: label,idx"),
        ("idx,label\n0,cat\nx,dog\n", "expected an index and a label, received 'x,dog'"),
        ("idx,label\n0,cat\n", "expected at least two labels, found 1"),
        ("", "the first line must be idx,label. Received: an empty file"),
        (None, "it is missing"),
    ],
)
def test_bad_vocabulary(tmp_path, text, reason):
    folder = write_task(tmp_path)
    file = folder / "labelvocabulary.csv"
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    assert ("labelvocabulary.csv", reason) in problems(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not readable JSON"),
        ("[]", "expected a JSON object, received a value of type list"),
        ('{"../x.wav": ["cat"]}', "'../x.wav' is not the name of a file"),
        ('{"fold00_0.wav": "cat"}', "expected a list of labels, received 'cat'"),
        ('{"fold00_0.wav": ["cat", "cat"]}', "this one has 2"),
    ],
)
def test_bad_splits(tmp_path, text, reason):
    folder = write_task(tmp_path)
    (folder / "fold00.json").write_text(text)
    ((name, said),) = problems(folder)
    assert name == "fold00.json" and reason in said


def test_missing_files_and_folders(tmp_path):
    folder = write_task(tmp_path)
    (folder / "fold00.json").unlink()
    shutil.rmtree(folder / "16000" / "fold01")
    assert problems(folder) == [
        ("fold00.json", "it is missing"),
        ("16000/fold01", "the folder of the audio at 16000 Hz is missing"),
    ]
    with pytest.raises(TaskError, match="nowhere: it does not exist"):
        read_task(tmp_path / "nowhere")


def test_a_clip_in_two_splits(tmp_path):
    folder = write_task(tmp_path, {split: {"same.wav": ["cat"]} for split in FOLDS})
    # Other clips may have the same name.
    assert len(read_task(folder).splits) == 3
    shutil.copy(folder / "16000/fold00/same.wav", folder / "16000/fold02/same.wav")
    assert problems(folder) == [
        ("16000/fold02/same.wav", "the same clip is in the split fold00"),
    ]


def test_read_tasks(tmp_path):
    write_task(tmp_path, task_name="b")
    write_task(tmp_path, task_name="a")
    (tmp_path / "notes").mkdir()
    assert [task.name for task in read_tasks(tmp_path)] == ["a", "b"]
    assert [task.name for task in read_tasks(tmp_path, ["b", "a-1.0-small", "b"])] == ["b", "a"]
    with pytest.raises(ValueError, match="Received: 'c', which fits none of a-1.0-small, b-1.0"):
        read_tasks(tmp_path, ["c"])
    shutil.copytree(tmp_path / "a-1.0-small", tmp_path / "a-1.0-full")
    with pytest.raises(ValueError, match="'a', which fits a-1.0-full, a-1.0-small"):
        read_tasks(tmp_path, ["a"])
    with pytest.raises(ValueError, match="a task folder, .*Give the folder that it is in"):
        read_tasks(tmp_path / "a-1.0-small")
    with pytest.raises(ValueError, match="Found none"):
        read_tasks(tmp_path / "notes")


def test_problems_of_all_tasks_are_listed_at_once(tmp_path):
    for name in ("a", "b"):
        folder = write_task(tmp_path, task_name=name)
        (folder / "16000/fold00/fold00_0.wav").unlink()
    (folder / "task_metadata.json").unlink()
    with pytest.raises(TaskError) as error:
        read_tasks(tmp_path)
    copy = pickle.loads(pickle.dumps(error.value))
    assert copy.problems == error.value.problems
    assert [path.name for path, _ in copy.problems] == ["fold00_0.wav", "task_metadata.json"]
