"""Every code block of README.md runs: Python as it stands, command lines through the CLI.

A block that cannot run here has the line `<!-- not run by the tests: REASON -->` before it.
"""

import re
import shlex
from pathlib import Path

import pytest
import torch

from keras_axlstm.cli.main import main
from tests.support.golden import load_golden

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"^(?:<!-- not run by the tests: (?P<reason>.+) -->\n)?"
    r"```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(language: str) -> list:
    """One pytest parameter for each block of `language`, named after its line in the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(readme):
        if match["language"] == language:
            lines_before = readme.count("\n", 0, match.start("code"))
            name = f"line{lines_before + 1}"
            skip = pytest.mark.skip(reason=f"README {name}: {match['reason']}")
            # The empty lines make tracebacks point into the README.
            code = "\n" * lines_before + match["code"]
            found.append(pytest.param(code, id=name, marks=[skip] if match["reason"] else []))
    return found


def commands(code: str) -> list[list[str]]:
    """The command lines of a shell block, split into words, without comments."""
    lines = code.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture
def user_folder(tmp_path, monkeypatch):
    """A folder with what a reader has: the example clips, and a checkpoint of the authors."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "audio").symlink_to(ROOT / "examples" / "audio")
    weights = {
        name.removeprefix("weight/"): torch.from_numpy(array)
        for name, array in load_golden("runtime_flip_ef2").items()
        if name.startswith("weight/")
    }
    torch.save({"model": weights}, tmp_path / "checkpoint-99.pth")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_block(code, user_folder):
    exec(compile(code, str(ROOT / "README.md"), "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("code", blocks("bash"))
def test_shell_block(code, user_folder):
    for words in commands(code):
        while re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        program, *arguments = words
        if program == "keras-axlstm":
            assert main(arguments) in (None, 0), shlex.join(words)
        elif program.startswith("tools/"):
            assert (ROOT / program).stat().st_mode & 0o111, f"{program} is not executable"
        else:
            assert program == "pip", f"the tests do not know how to check {shlex.join(words)!r}"


def test_the_readme_has_blocks_to_run():
    assert len(blocks("python")) >= 3
    assert len(blocks("bash")) >= 3
