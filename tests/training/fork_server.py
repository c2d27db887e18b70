"""Runs small pretrainings, each in a process of its own that did not have to import anything.

Reads output folders from standard input, a line each; answers with the process number, and with
the exit code when that process has ended. Nothing is computed before the fork, so that no thread
of a backend is lost in it.
"""

import os
import sys
import traceback
from pathlib import Path

from tests.training.runs import pretrain_small

STEPS = 150


def main() -> None:
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _run(Path(line.strip()))
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(output: Path) -> None:
    try:
        pretrain_small(output, resume=True, steps=STEPS, log_every=1)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
