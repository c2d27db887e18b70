"""The command as a whole: help, wrong arguments, errors, exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_axlstm.cli import presets
from keras_axlstm.cli.main import main

ROOT = Path(__file__).parents[2]
COMMANDS = ["prepare", "prepare-tasks", "pretrain", "finetune", "classify", "embed", "convert"]
COMMANDS += ["presets", "doctor"]

# The package's own `__init__` is passed over: this is about the modules of the command line.
WITHOUT_THE_PACKAGE = """
import sys, types
package = types.ModuleType("keras_axlstm")
package.__path__ = ["keras_axlstm"]
sys.modules["keras_axlstm"] = package
from keras_axlstm.cli.main import main
try:
    main(sys.argv[1:])
finally:
    heavy = {"keras", "keras_hub", "jax", "torch", "tensorflow", "numpy"} & set(sys.modules)
    print("heavy:", *sorted(heavy), file=sys.stderr)
"""


def run(*arguments):
    environment = os.environ | {"KERAS_BACKEND": keras.config.backend()}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["pretrain", "--help"], 0),
        (["pretrain", "sounds", "--output", "preset", "--steps", "0"], 2),
        (["pretrain", "sounds", "--output", "preset", "--model", "ssast", "--flip"], 2),
        (["prepare", "sounds"], 2),
        (["prepare", "sounds", "--output", "out", "--runner-options=--region=x"], 2),
        (["embed"], 2),
        (["finetune", "--help"], 0),
        (["finetune", "clips"], 2),
        (["finetune", "--output", "out"], 2),
        (["classify", "clip.wav"], 2),
        (["train"], 2),
    ],
)
def test_help_and_wrong_arguments_import_nothing_heavy(arguments, code):
    result = run("-c", WITHOUT_THE_PACKAGE, *arguments)
    assert result.returncode == code, result.stderr
    assert result.stderr.splitlines()[-1] == "heavy:"


def test_the_module_runs():
    result = run("-m", "keras_axlstm", "presets")
    assert result.returncode == 0, result.stderr
    assert "axlstm_tiny" in result.stdout
    assert f"Keras backend: {keras.config.backend()}" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert f"usage: keras-axlstm {command}" in capsys.readouterr().out


def test_the_help_explains_exit_codes_and_backends(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    output = capsys.readouterr().out
    assert "3    done, but some files" in output and "KERAS_BACKEND" in output
    for command in COMMANDS:
        assert command in output


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "two lines"),
        (FileNotFoundError(2, "No such file", "x.wav"), "[Errno 2] No such file: 'x.wav'"),
        (KeyError("weight"), "KeyError: 'weight' (--debug shows where)"),
        (ValueError(), "ValueError: no message (--debug shows where)"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, line):
    def fail(arguments):
        raise error

    monkeypatch.setattr(presets, "run", fail)
    assert main(["presets"]) == 1
    assert capsys.readouterr().err == f"keras-axlstm: error: {line}\n"
    with pytest.raises(type(error)):
        main(["presets", "--debug"])


def test_an_interrupt_has_its_own_code(monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(presets, "run", interrupt)
    assert main(["presets"]) == 130
    assert capsys.readouterr().err == "keras-axlstm: interrupted\n"
