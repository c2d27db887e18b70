"""`keras-axlstm doctor`: the report, its exit codes, and machines where something is missing."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import pytest

from keras_axlstm.cli import doctor, installed
from keras_axlstm.cli.main import main
from keras_axlstm.recurrence import kernels
from keras_axlstm.recurrence.kernels import self_check
from keras_axlstm.recurrence.kernels.native import build
from tests.support.failures import break_mlstm
from tests.support.failures import failed_json as failed_json

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("failed_json")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(self_check, "HEAD_DIMS", {"C++": (8,), "Triton": (16,)})
    monkeypatch.setattr(self_check, "FORMS", ("chunkwise",))


@pytest.fixture
def mlstm_alone(monkeypatch):
    """Checks one kernel instead of all, each of which takes seconds to compile."""
    monkeypatch.setattr(self_check, "CASES", {"mlstm": self_check.CASES["mlstm"]})


def test_a_healthy_machine(capsys):
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    assert re.search(rf"^backend +{keras.config.backend()} \d", output, re.MULTILINE)
    assert re.search(r"^axlstm_base +576 +8001 +chunkwise +\d+ +\S+ kernel", output, re.MULTILINE)
    for kernel in kernels.KERNELS:
        assert re.search(rf"^{kernel} +\w+ +\d+ +float32 .* ok$", output, re.MULTILINE)
    assert re.search(r"^mlstm +chunkwise +\d+ +bfloat16 .* ok$", output, re.MULTILINE)
    assert output.splitlines()[-1] == "All is well: nothing to do."


@pytest.mark.usefixtures("mlstm_alone")
def test_a_wrong_kernel(capsys, failed_json, monkeypatch):
    with monkeypatch.context() as broken:
        break_mlstm(broken)
        assert main(["doctor"]) == 1
    output = capsys.readouterr().out
    assert re.search(r"^mlstm +chunkwise +\d+ +float32 .* FAILED$", output, re.MULTILINE)
    assert re.search(r"^axlstm_tiny +144 +251 +parallel +- +keras\.ops", output, re.MULTILINE)
    assert "- mlstm: failed its self-check on" in output
    assert output.splitlines()[-1].startswith("FAILED: mlstm: error 1e-02, expected <= 1e-04")
    assert failed_json.exists()

    assert main(["doctor", "--no-check"]) == 0
    assert "- mlstm: failed its self-check on" in capsys.readouterr().out
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All is well: nothing to do."


@pytest.mark.usefixtures("mlstm_alone")
def test_a_failure_that_cannot_be_written_down(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(
        "keras_axlstm.recurrence.kernels.failures.path", lambda: tmp_path / "file" / "failed.json"
    )
    break_mlstm(monkeypatch)
    assert main(["doctor"]) == 1
    assert "set KERAS_HOME to a folder" in capsys.readouterr().out.splitlines()[-1]


def test_a_home_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    environment = os.environ | {
        "KERAS_BACKEND": keras.config.backend(),
        "KERAS_HOME": str(tmp_path / "file"),
    }
    result = subprocess.run(
        [sys.executable, "-m", "keras_axlstm", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "set KERAS_HOME to a folder that can" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Everything works; no kernel for the mlstm")


def test_without_kernels(capsys, monkeypatch):
    reasons = ["no C++ compiler found", "the wrong moon"]
    monkeypatch.setattr(kernels.backend_kernels(), "unavailable", lambda kernel, x: reasons)
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    assert "keras.ops for the recurrence, because:\n- no C++ compiler found\n- the wrong" in output
    assert "relative errors" not in output


@pytest.mark.usefixtures("mlstm_alone")
@pytest.mark.parametrize("options", [[], ["--no-check"]])
def test_json(options, capsys):
    assert main(["doctor", "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["installed"]["keras"] == keras.__version__
    assert {choice["head_dim"] for choice in report["choices"]} == {144, 288, 576}
    assert {choice["steps"] for choice in report["choices"]} == set(doctor.STEPS)
    assert bool(report["checks"]) is not bool(options)
    assert all(check["problem"] is None for check in report["checks"])


@pytest.mark.usefixtures("mlstm_alone")
def test_json_has_no_numbers_that_are_not_finite(capsys, monkeypatch):
    break_mlstm(monkeypatch, factor=float("nan"))
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert report["checks"][0]["value_error"] is None


def test_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].keys() - {"all", "test", "demo-test"}
    assert extras == installed.EXTRAS.keys()


def test_what_is_missing_is_named(monkeypatch):
    def no_compiler():
        raise build.KernelBuildError("no C++ compiler found")

    monkeypatch.setattr(build, "compiler", no_compiler)
    monkeypatch.setitem(installed.EXTRAS, "parquet", "a_module_that_does_not_exist")
    facts = installed.describe_installation()
    assert facts["C++ compiler"] == "none: no C++ compiler found"
    assert facts["extra parquet"] == "missing: pip install 'keras-axlstm[parquet]'"
