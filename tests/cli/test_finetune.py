"""`keras-axlstm finetune` and `keras-axlstm classify`."""

import csv
import json
import os

import keras
import numpy as np
import pytest
import soundfile

from keras_axlstm.cli.main import main
from keras_axlstm.models import AudioClassifier, SSASTEncoder
from keras_axlstm.training.finetuning import run as finetuning_run
from keras_axlstm.training.finetuning.run import OUTPUT_FILES
from tests.support.labelled_folder import FREQUENCIES, write_tones
from tests.support.small_preset import save_small_preset


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_tones(tmp_path_factory.mktemp("data") / "clips", files=8)


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Of the encoder that compiles faster."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset")
    encoder = SSASTEncoder((40, 80), (4, 16), hidden_dim=16, num_layers=1, num_heads=2)
    encoder.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def axlstm(tmp_path_factory):
    return save_small_preset(tmp_path_factory.mktemp("axlstm"))


@pytest.fixture(scope="module")
def classifier(clips, preset, tmp_path_factory):
    """The folder of a classifier of three tones."""
    output = tmp_path_factory.mktemp("output") / "classifier"
    options = ["--epochs", 12, "--batch-size", 6, "--learning-rate", 0.02, "--test", 0.25]
    assert finetune(clips, "--preset", preset, "--output", output, *options) == 0
    return output


def finetune(*arguments):
    return main(["finetune", *map(str, arguments), "--no-progress"])


def classify(*arguments):
    return main(["classify", *map(str, arguments)])


def report_of(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_output_is_a_preset_with_a_report(classifier):
    assert sorted(os.listdir(classifier)) == sorted(set(OUTPUT_FILES) - {"adapter.npz"})
    report = report_of(classifier)
    assert report["class_names"] == sorted(FREQUENCIES)
    assert {part: len(names) for part, names in report["files"].items()} == {
        "train": 12,
        "validation": 6,
        "test": 6,
    }
    assert len(report["history"]["val_accuracy"]) == 12
    test = report["scores"]["test"]
    assert test["accuracy"] >= 0.8
    assert np.trace(test["confusion"]) == round(test["accuracy"] * 6)
    assert {values["files"] for values in test["per_class"].values()} == {2}
    for name in ("confusion_matrix.png", "training_curves.png"):
        assert (classifier / name).read_bytes().startswith(b"\x89PNG")


def test_the_scores_are_those_of_the_saved_classifier(classifier, clips):
    report = report_of(classifier)
    revived = AudioClassifier.from_preset(classifier)
    for part, names in report["files"].items():
        best = revived.predict([clips / name for name in names], verbose=0).argmax(axis=1)
        right = [
            revived.class_names[i] == name.split("/")[0]
            for i, name in zip(best, names, strict=True)
        ]
        assert np.mean(right) == pytest.approx(report["scores"][part]["accuracy"])


def test_the_same_seed_gives_the_same_classifier(clips, preset, tmp_path):
    options = ["--preset", preset, "--epochs", 1, "--batch-size", 6, "--mode", "frozen"]
    for name in ("one", "two"):
        assert finetune(clips, *options, "--output", tmp_path / name, "--seed", 3) == 0
    one, two = (report_of(tmp_path / name) for name in ("one", "two"))
    assert one["files"] == two["files"]
    np.testing.assert_allclose(one["history"]["loss"], two["history"]["loss"], rtol=1e-5)


def test_lora_with_augmentation_and_attention(clips, axlstm, tmp_path, capsys):
    options = ["--mode", "lora", "--lora-rank", 2, "--pooling", "attention", "--spec-augment"]
    options += ["--mixup", 0.2, "--dropout", 0.1, "--epochs", 1, "--validation", 0]
    options += ["--batch-size", 6]
    assert finetune(clips, "--preset", axlstm, "--output", tmp_path / "out", *options) == 0
    # Pooling 80, dense layer 80 * 3 + 3, and rank 2 for projections 16 -> 96 and 48 -> 16.
    trained = 80 + 243 + 2 * (16 + 96) + 2 * (48 + 16)
    assert f"{trained:,} of" in capsys.readouterr().out
    revived = AudioClassifier.from_preset(tmp_path / "out")
    assert revived.pooling == "attention" and revived.mixup.alpha == 0.2
    adapted = AudioClassifier.from_preset(axlstm, adapter=tmp_path / "out" / "adapter.npz")
    clip = [clips / "low" / "0.wav"]
    expected = revived.predict(clip, verbose=0)
    np.testing.assert_allclose(adapted.predict(clip, verbose=0), expected, atol=1e-5)
    report = report_of(tmp_path / "out")
    assert report["trained_parameters"] == trained and set(report["scores"]) == {"train"}


def test_several_labels_a_file(clips, preset, tmp_path, capsys):
    rows = [f"{clips}/low/{i}.wav,low" for i in range(4)]
    rows += [f"{clips}/middle/{i}.wav,middle;tone" for i in range(4)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,labels", *rows, f"{clips}/high/0.wav,"]))
    arguments = ["--manifest", tmp_path / "labels.csv", "--preset", preset, "--mode", "frozen"]
    assert finetune(*arguments, "--output", tmp_path / "out", "--epochs", 1) == 0
    printed = capsys.readouterr().out
    assert "validation: mean average precision" in printed and "average precision" in printed
    assert not (tmp_path / "out" / "confusion_matrix.png").exists()
    assert AudioClassifier.from_preset(tmp_path / "out").multi_label
    assert report_of(tmp_path / "out")["class_names"] == ["low", "middle", "tone"]


def test_random_weights(clips, tmp_path, monkeypatch):
    opened = []

    def new_classifier(cls, preset, **options):
        opened.append(preset)
        raise KeyboardInterrupt

    monkeypatch.setattr(finetuning_run, "open_preset", new_classifier)
    options = ["--output", tmp_path / "out", "--seed", 5]
    for chosen in (["--random-weights"], ["--preset", "random:ssast_tiny"]):
        assert finetune(clips, *chosen, *options) == 130
    assert opened == ["random:axlstm_tiny:5", "random:ssast_tiny"]
    assert not (tmp_path / "out").exists()


def no_training(monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("long work began")

    monkeypatch.setattr(AudioClassifier, "fit", fail)


def test_unreadable_files_are_listed_before_any_training(
    clips, preset, tmp_path, capsys, monkeypatch
):
    no_training(monkeypatch)
    folder = write_tones(tmp_path / "clips", files=3)
    (folder / "low" / "0.wav").write_bytes(b"")
    (folder / "high" / "1.wav").write_text("no audio")
    soundfile.write(folder / "high" / "2.wav", np.full(800, np.nan), 16000, subtype="FLOAT")
    assert finetune(folder, "--preset", preset, "--output", tmp_path / "out") == 1
    errors = capsys.readouterr().err
    assert "3 problems with the data" in errors
    for name, reason in (
        ("low/0.wav", "empty"),
        ("high/1.wav", "not in a supported format"),
        ("high/2.wav", "800 of 800 samples are NaN"),
    ):
        assert any(name in line and reason in line for line in errors.splitlines())
    assert sorted(os.listdir(tmp_path)) == ["clips"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{clips}", "--preset", "axlstm_huge"], "Unknown preset"),
        (["{clips}", "--preset", "ssast_base"], "has no pretrained weights"),
        (["{clips}/low"], "a sub-folder for each class, found 0.wav and 7 more"),
        (
            ["{clips}", "--preset", "{preset}", "--validation", "0.5", "--test", "0.6"],
            "leave something",
        ),
        (["{clips}", "--preset", "{preset}", "--output", "{clips}/out"], "outside of the folder"),
        (["--manifest", "no.csv"], "a path that is no file"),
        (["{clips}", "--classes", "{classes}", "--preset", "{preset}"], "'low' is not in the list"),
        (["{clips}", "--preset", "{axlstm}", "--pooling", "class_token"], "Received: flip=False"),
        (["{clips}", "--preset", "{preset}", "--output", "file/out"], "file"),
    ],
)
def test_errors_come_before_any_work(
    arguments, message, clips, preset, axlstm, tmp_path, capsys, monkeypatch
):
    no_training(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "classes").write_text("high\nmiddle\n")
    (tmp_path / "file").touch()
    names = {"clips": clips, "preset": preset, "axlstm": axlstm, "classes": tmp_path / "classes"}
    arguments = [argument.format(**names) for argument in arguments]
    if "--output" not in arguments:
        arguments += ["--output", "out"]
    try:
        code = finetune(*arguments)
    except SystemExit as error:
        code = error.code
    assert code in (1, 2)
    assert message in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["classes", "file"]


def test_an_existing_output_is_kept(clips, preset, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out"
    output.mkdir()
    (output / "report.json").write_text("old")
    arguments = [clips, "--preset", preset, "--output", output, "--mode", "frozen", "--epochs", 1]
    with monkeypatch.context() as patched:
        no_training(patched)
        assert finetune(*arguments) == 1
        assert "--overwrite" in capsys.readouterr().err
        (output / "mine.txt").write_text("mine")
        assert finetune(*arguments, "--overwrite") == 1
        assert "holds other files: mine.txt" in capsys.readouterr().err
        assert (output / "report.json").read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["out"]
    (output / "mine.txt").unlink()
    assert finetune(*arguments, "--overwrite") == 0
    assert report_of(output)["config"]["mode"] == "frozen"
    capsys.readouterr()
    adapter = ["--preset", preset, "--adapter", output / "adapter.npz"]
    assert classify(clips / "low" / "0.wav", *adapter) == 0
    with_adapter = capsys.readouterr().out
    assert classify(clips / "low" / "0.wav", "--preset", output) == 0
    assert capsys.readouterr().out == with_adapter


def test_a_loss_gone_wrong_leaves_nothing(clips, preset, tmp_path, capsys):
    options = ["--learning-rate", 1e38, "--mode", "frozen", "--epochs", 3]
    assert finetune(clips, "--preset", preset, "--output", tmp_path / "out", *options) == 1
    assert "Lower the learning rate" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_classify(classifier, clips, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    arguments = [clips / "low", bad, "--preset", classifier, "--csv", tmp_path / "scores.csv"]
    assert classify(*arguments, "--top", 2) == 3
    captured = capsys.readouterr()
    assert "bad.wav: it is damaged" in captured.err
    with open(tmp_path / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    paths = sorted((clips / "low").iterdir())
    assert [row["path"] for row in rows[::2]] == list(map(str, paths))
    assert [row["rank"] for row in rows] == ["1", "2"] * 8
    scores = AudioClassifier.from_preset(classifier).predict(paths, verbose=0)
    np.testing.assert_allclose([float(r["score"]) for r in rows[::2]], scores.max(1), atol=1e-5)
    names = sorted(FREQUENCIES)
    assert [row["class"] for row in rows[::2]] == [names[i] for i in scores.argmax(1)]
    first = captured.out.splitlines()[1]
    assert first.split() == [str(paths[0]), *(f(rows[i]) for i in (0, 1) for f in (_name, _score))]

    assert classify(*arguments) == 1
    assert "--overwrite" in capsys.readouterr().err


def _name(row):
    return row["class"]


def _score(row):
    return f"{float(row['score']):.3f}"


@pytest.mark.parametrize(
    ("preset", "message"),
    [("no-such-folder", "Unknown preset"), (None, "num_classes")],
)
def test_classify_needs_a_classifier(preset, message, clips, axlstm, tmp_path, capsys):
    preset = preset or axlstm
    assert classify(clips, "--preset", preset, "--csv", tmp_path / "scores.csv") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "scores.csv").exists()
