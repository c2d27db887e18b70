"""The ablation grid: its models, its table, and going on where it was."""

import importlib.util
import sys
from pathlib import Path

import pytest

from keras_axlstm.models import AxLSTMEncoder, SSASTEncoder
from keras_axlstm.training import run as training

FOLDER = Path(__file__).parents[2] / "examples" / "ablations"
AUDIO = FOLDER.parent / "audio"


def load(name):
    specification = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def ablations(monkeypatch):
    """The script, with very small encoders."""
    built = []

    def small_encoder(config):
        built.append(config)
        encoder = AxLSTMEncoder if config.model == "axlstm" else SSASTEncoder
        return encoder(hidden_dim=16, num_layers=1, num_heads=1, spectrogram_shape=(16, 80))

    monkeypatch.setattr(training, "new_encoder", small_encoder)
    grid = load("grid")
    script = load("run")
    yield grid, script, built
    for name in ("grid", "run"):
        del sys.modules[name]


def test_the_models_differ_as_the_tables_say(ablations):
    grid, _, _ = ablations
    names = [grid.name_of(row.options) for rows in grid.TABLES.values() for row in rows]
    assert len(names) == 18 and len(set(names)) == 14
    shared = [
        grid.name_of(grid.TABLES[table][row].options) for table, row in ((3, 0), (4, 3), (5, 0))
    ]
    assert len(set(shared)) == 1
    scores = {row.label: row.paper for row in grid.TABLES[3]}
    assert scores == {
        "AxLSTM-T, E=2": 66.9,
        "AxLSTM-T, E=3": 68.9,
        "AxLSTM-T, E=4": 63.4,
        "SSAST-T": 55.6,
    }


def test_a_table_at_a_small_budget(ablations, tmp_path, capsys):
    _, script, built = ablations
    arguments = [str(AUDIO), "--output", str(tmp_path), "--steps", "1", "--batch-size", "2"]
    arguments += ["--tables", "3", "--no-progress"]
    script.main(arguments)
    output = capsys.readouterr().out
    assert "| AxLSTM-T, E=3 |" in output and "| 68.9 |" in output
    assert {config.model for config in built} == {"axlstm", "ssast"}
    assert [config.expansion_factor for config in built[::2]] == [2, 3, 4, None]

    count = len(built)
    script.main(arguments)
    assert len(built) == count
    assert capsys.readouterr().out.strip() == output[output.index("Table 3") :].strip()
