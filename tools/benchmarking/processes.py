"""Child processes that time one case each, from the side of the parent."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarking.cases import Case

TOOLS = Path(__file__).parents[1]
ROOT = TOOLS.parent


class WorkerError(Exception):
    """The case failed in its process; the message is one line."""


class Worker:
    """A process of its own for one case, so that memory and compile time are those of the case.

    Raises:
        WorkerError: from any method, if the case fails or its process dies.
    """

    def __init__(self, case: Case, *, warm_up: int, official: Path | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="benchmark-")
        self._log = open(Path(self._folder.name) / "stderr", "w+b")  # closed in `close`
        options = {"warm_up": warm_up, "official": official and str(official)}
        arguments = json.dumps(dataclasses.asdict(case)), json.dumps(options)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarking.worker", *arguments],
            cwd=ROOT,
            env=self._environment(case),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            # An interrupt is for the parent, which ends its children and writes the results.
            start_new_session=True,
        )

    def ready(self) -> dict[str, Any]:
        """Wait until the case is built and warm; its figures so far."""
        return self._answer()

    def repeat(self, count: int) -> list[float]:
        """Measure `count` times, in seconds."""
        return self._ask(f"repeat {count}")

    def finish(self) -> dict[str, Any]:
        """The last figures; the process ends."""
        return self._ask("finish")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._log.close()
        self._folder.cleanup()

    def _environment(self, case: Case) -> dict[str, str]:
        paths = [str(TOOLS), str(ROOT), os.environ.get("PYTHONPATH", "")]
        return os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "KERAS_BACKEND": case.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # Several processes share the device, and its peak memory is measured.
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            # No compiled code from earlier runs: the first call is measured.
            "JAX_ENABLE_COMPILATION_CACHE": "false",
            "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
            "TRITON_CACHE_DIR": str(Path(self._folder.name) / "triton"),
        }

    def _ask(self, request: str) -> Any:
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the process died, which the missing answer tells
        return self._answer()

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._last_words())
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {last}"
