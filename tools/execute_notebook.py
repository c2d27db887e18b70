"""Execute a notebook from beginning to end, and write it with its outputs.

    python tools/execute_notebook.py examples/finetune_colab.ipynb examples/finetune_colab.ipynb

The first is read, the second written, which may be the same; without a second nothing is. Needs the
extra `notebook`. What libraries say on standard error is left out: it is about this machine. With
NOTEBOOK_QUICK=1 in the environment the notebook computes little, for a check that it runs.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(arguments: list[str]) -> None:
    """Execute; an error in a cell ends it, and nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path, nargs="?")
    options = parser.parse_args(arguments)
    notebook = nbformat.read(options.notebook, as_version=4)
    start = time.monotonic()
    NotebookClient(notebook, timeout=None, kernel_name="python3", record_timing=False).execute()
    print(f"Executed in {time.monotonic() - start:.0f} s")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)
    if options.output is not None:
        nbformat.write(notebook, options.output)


if __name__ == "__main__":
    main(sys.argv[1:])
