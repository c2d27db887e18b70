"""Training of presets in pieces: the record, the curve, and the same weights as in one piece."""

import json
import shutil
import sys
import tomllib
from unittest import mock

import pytest

import train_presets
from keras_axlstm.models.presets import PRESETS_FOLDER
from keras_axlstm.training import run as training_run
from preset_training.piece import PRESETS, _new_run
from tests.training.runs import EXAMPLES, assert_same_run, small_encoder

pytestmark = pytest.mark.any_backend

START = ("--data", EXAMPLES, "--clips", 16, "--batch", 4, "--precision", "float32")


def train(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["train_presets.py", *map(str, arguments)])
    with mock.patch.object(training_run, "new_encoder", small_encoder):
        return train_presets.main()


@pytest.fixture(autouse=True)
def short_rows(monkeypatch):
    monkeypatch.setattr("preset_training.piece._STEPS_PER_ROW", 2)


def test_two_pieces_are_one(tmp_path, monkeypatch, capsys):
    one, two = tmp_path / "one", tmp_path / "two"
    assert train(monkeypatch, "axlstm_tiny", "--run", one, *START) == 0
    assert "The run is complete." in capsys.readouterr().out
    assert train(monkeypatch, "axlstm_tiny", "--run", two, *START, "--minutes", 1e-9) == 0
    assert "The run pauses" in capsys.readouterr().out
    assert len((two / "loss.csv").read_text().splitlines()) == 2
    assert train(monkeypatch, "axlstm_tiny", "--run", two) == 0
    assert_same_run(one / "preset", two / "preset")
    pieces = json.loads((two / "pieces.json").read_text())
    assert [(piece["first_step"], piece["last_step"]) for piece in pieces] == [(0, 2), (2, 4)]
    assert [piece["clips"] for piece in pieces] == [8, 8]
    assert all(piece["hours"] > 0 and piece["device"] for piece in pieces)
    assert len((two / "loss.csv").read_text().splitlines()) == 3
    assert (two / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_piece_cannot_change_the_run(tmp_path, monkeypatch, capsys):
    assert train(monkeypatch, "axlstm_tiny", "--run", tmp_path, "--clips", 16) == 1
    assert "The first piece needs --data" in capsys.readouterr().err
    start = ["axlstm_tiny", "--run", tmp_path / "run", *START]
    assert train(monkeypatch, *start, "--minutes", 1e-9) == 0
    assert train(monkeypatch, "ssast_tiny", "--run", tmp_path / "run", "--batch", 8) == 1
    assert "began with batch 4, received 8; axlstm_tiny, received ssast_tiny" in (
        capsys.readouterr().err
    )
    assert train(monkeypatch, *start) == 0
    assert train(monkeypatch, *start) == 1
    assert "is complete" in capsys.readouterr().err


def test_pieces_may_read_and_save_in_other_ways(tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    assert train(monkeypatch, "axlstm_tiny", "--run", one, *START) == 0
    ways = ["--workers", 1, "--checkpoint-every", 1]
    assert train(monkeypatch, "axlstm_tiny", "--run", two, *START, "--minutes", 1e-9, *ways) == 0
    unfinished = tomllib.loads((two / "preset" / "unfinished" / "pretrain.toml").read_text())
    assert (unfinished["workers"], unfinished["checkpoint_every"]) == (1, 1)
    assert train(monkeypatch, "axlstm_tiny", "--run", two, "--workers", 0) == 0
    assert_same_run(one / "preset", two / "preset")


def test_a_variant_of_a_preset(tmp_path, monkeypatch, capsys):
    start = ["axlstm_tiny", "--run", tmp_path, *START]
    variant = ["--expansion-factor", 2, "--flip", "--mask-ratio", 0.75]
    variant += ["--mask-mode", "timestep", "--position-on-masked", "--dynamic-range", 40]
    assert train(monkeypatch, *start, *variant, "--minutes", 1e-9) == 0
    unfinished = tomllib.loads((tmp_path / "preset" / "unfinished" / "pretrain.toml").read_text())
    assert (unfinished["expansion_factor"], unfinished["flip"]) == (2, True)
    recorded = json.loads((tmp_path / "pieces.json").read_text())[0]
    for record in (unfinished, recorded):
        mask = (record["mask_ratio"], record["mask_mode"], record["position_on_masked"])
        assert mask == (0.75, "timestep", True)
        assert record["dynamic_range"] == 40.0
    assert train(monkeypatch, "axlstm_tiny", "--run", tmp_path, "--expansion-factor", 3) == 1
    assert "began with expansion_factor 2, received 3" in capsys.readouterr().err
    assert train(monkeypatch, "axlstm_tiny", "--run", tmp_path) == 0
    # It embeds as the preset does.
    front_ends = [tmp_path / "preset", PRESETS_FOLDER / "axlstm_tiny"]
    trained, built_in = (folder / "audio_converter.json" for folder in front_ends)
    assert trained.read_text() == built_in.read_text()


def test_the_record_has_the_runs_before(tmp_path, monkeypatch):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    assert train(monkeypatch, "axlstm_tiny", "--run", one, *START) == 0
    begin = ["--initial-preset", one / "preset", "--seed", 1]
    assert train(monkeypatch, "axlstm_tiny", "--run", two, *START, *begin) == 0
    shipped = tmp_path / "shipped"
    shutil.copytree(two / "preset", shipped / "preset")
    shutil.copyfile(two / "pieces.json", shipped / "preset" / "training.json")
    begin = ["--initial-preset", shipped / "preset"]
    assert train(monkeypatch, "axlstm_tiny", "--run", three, *START, *begin) == 0
    pieces = json.loads((three / "pieces.json").read_text())
    assert [piece["seed"] for piece in pieces] == [0, 1, 0]
    assert [piece["initial_preset"] for piece in pieces] == [
        None,
        str(one / "preset"),
        str(shipped / "preset"),
    ]


def test_the_record_has_what_was_widened_in_place_of_its_runs(tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    assert train(monkeypatch, "axlstm_tiny", "--run", one, *START) == 0
    (one / "preset" / "widened.json").write_text('{"from": "axlstm_narrow"}')
    begin = ["--initial-preset", one / "preset"]
    assert train(monkeypatch, "axlstm_tiny", "--run", two, *START, *begin) == 0
    (piece,) = json.loads((two / "pieces.json").read_text())
    assert piece["widened_from"] == "axlstm_narrow"
    (piece,) = json.loads((one / "pieces.json").read_text())
    assert piece["widened_from"] is None


@pytest.mark.parametrize("preset", PRESETS)
def test_defaults_are_configurations(preset):
    from keras_axlstm.training import PretrainConfig

    config = PretrainConfig(**_new_run(preset, {}), source="shards", output="preset")
    assert config.steps * config.batch_size == PRESETS[preset]["clips"]
    assert f"{config.model}_{config.size}" == preset
