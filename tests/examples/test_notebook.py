"""The notebook as it is committed: small, and of no machine in particular.

That it runs is a step of its own in .ci/run.
"""

import ast
import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_backend

PATH = Path(__file__).parents[2] / "examples" / "finetune_colab.ipynb"
FOLDERS = re.compile(r"/(work|home|root|tmp|opt|usr|Users|content)/|[A-Z]:\\\\")


@pytest.fixture(scope="module")
def cells():
    return json.loads(PATH.read_text(encoding="utf-8"))["cells"]


def code_of(cells):
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def text_of(cell):
    """What the outputs of a cell show in words."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append("".join(output.get("text", "")))
        texts += ["".join(output.get("data", {}).get(kind, "")) for kind in TEXTS]
    return "\n".join(texts)


TEXTS = ("text/plain", "text/markdown")


def test_its_outputs_are_small_and_without_errors(cells):
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    kinds = [output["output_type"] for cell in code for output in cell["outputs"]]
    names = {output.get("name") for cell in code for output in cell["outputs"]}
    assert "error" not in kinds and "stderr" not in names
    assert PATH.stat().st_size < 1_000_000


def test_it_names_no_folder_of_a_machine(cells):
    for cell in cells:
        text = "".join(cell["source"]) + text_of(cell)
        assert not FOLDERS.search(text), FOLDERS.search(text)


def test_the_code_is_python(cells):
    for code in code_of(cells):
        lines = [line for line in code.splitlines() if not line.lstrip().startswith("%")]
        if "%pip" not in code:
            ast.parse("\n".join(lines))


def test_it_was_executed_from_beginning_to_end(cells):
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    shown = "\n".join(map(text_of, cells))
    for mode in ("frozen", "lora", "full"):
        assert re.search(rf"\| {mode} \| .* \*\*\d+\.\d %\*\* \|", shown), shown
    assert int(re.search(r"(\d+) s in all", shown)[1]) < 600
