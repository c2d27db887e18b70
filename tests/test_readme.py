"""Every code block of README.md runs: Python as it stands, command lines through the CLI."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from keras_axlstm.cli.main import main
from keras_axlstm.recurrence.kernels.machine import kernels_folder
from tests.support.golden import load_golden

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> dict[str, str]:
    """The code blocks of `language` by their place in the README."""
    readme = README.read_text(encoding="utf-8")
    found = {}
    for match in BLOCK.finditer(readme):
        if match["language"] == language:
            lines_before = readme.count("\n", 0, match.start("code"))
            # The empty lines make tracebacks point into the README.
            found[f"line{lines_before + 1}"] = "\n" * lines_before + match["code"]
    return found


PYTHON_BLOCKS = blocks("python")
SHELL_BLOCKS = blocks("bash")


@pytest.fixture
def user_folder(tmp_path, monkeypatch):
    """A folder with what a reader has: the example clips, and a checkpoint of the authors' kind."""
    (tmp_path / "examples").mkdir()
    for name in ("audio", "audio_labels.csv"):
        (tmp_path / "examples" / name).symlink_to(ROOT / "examples" / name)
    weights = {
        name.removeprefix("weight/"): torch.from_numpy(array)
        for name, array in load_golden("runtime_flip_ef2").items()
        if name.startswith("weight/")
    }
    torch.save({"model": weights}, tmp_path / "checkpoint-99.pth")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """A home of Keras' in which nothing is installed, with the compiled kernels of the real one."""
    kernels = kernels_folder()
    home = tmp_path / "home"
    (home / "keras_axlstm").mkdir(parents=True)
    kernels.mkdir(parents=True, exist_ok=True)
    (home / "keras_axlstm" / "kernels").symlink_to(kernels)
    monkeypatch.setenv("KERAS_HOME", str(home))


@pytest.mark.parametrize("code", PYTHON_BLOCKS.values(), ids=PYTHON_BLOCKS.keys())
def test_python_block(code, user_folder):
    exec(compile(code, str(README), "exec"), {"__name__": "readme"})


# The tests of the commands run on every backend.
@pytest.mark.any_backend
def test_shell_blocks(user_folder, own_home):
    """One after the other in one folder, as a reader meets them: later ones need earlier ones."""
    for code in SHELL_BLOCKS.values():
        for line in code.replace("\\\n", " ").splitlines():
            check_command(shlex.split(line, comments=True))


def check_command(words: list[str]) -> None:
    """Run a command of ours; of another one, check that we know it."""
    words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    if not words:
        return
    program, *arguments = words
    if program == "keras-axlstm":
        assert main(arguments) == 0, shlex.join(words)
    elif program.startswith("tools/"):
        assert (ROOT / program).stat().st_mode & 0o111, f"{program} is not executable"
    else:
        assert program == "pip", f"the tests do not know how to check {shlex.join(words)!r}"


def test_the_readme_has_blocks_to_run():
    assert len(PYTHON_BLOCKS) >= 3
    assert len(SHELL_BLOCKS) >= 3
