"""A run that is killed ten times, at random moments, ends as one that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import keras
import pytest

from keras_axlstm.training.checkpoints import Checkpoints
from tests.training.runs import assert_same_run

ROOT = Path(__file__).parents[2]
KILLS = 10
# Every third process is killed in its first second, while it starts; the others when they train.
LONGEST_START = 1.0
LONGEST_TRAINING = 0.15
SECONDS_TO_A_CHECKPOINT = 120


class Processes:
    """Starts runs through the fork server."""

    def __init__(self, cache: Path) -> None:
        environment = os.environ | {
            "KERAS_BACKEND": keras.config.backend(),
            # The first run compiles for all.
            "JAX_COMPILATION_CACHE_DIR": str(cache),
        }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.training.fork_server"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, output: Path) -> int:
        self._server.stdin.write(f"{output}\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def exit_code(self) -> int:
        return int(self._server.stdout.readline())

    def close(self) -> None:
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


@pytest.fixture
def processes(tmp_path):
    processes = Processes(tmp_path / "cache")
    yield processes
    processes.close()


def test_ten_kills_change_nothing(processes, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    processes.start(undisturbed)
    assert processes.exit_code() == 0

    draw = random.Random()  # Other moments in every run of this test.
    checkpoints = Checkpoints(killed / "unfinished" / "checkpoints", keep=2)
    for kill in range(KILLS):
        before = checkpoints.steps()
        process = processes.start(killed)
        if kill % 3:
            deadline = time.monotonic() + SECONDS_TO_A_CHECKPOINT
            while checkpoints.steps() == before:
                assert time.monotonic() < deadline, "the run makes no progress"
                time.sleep(0.005)
        time.sleep(draw.uniform(0, LONGEST_TRAINING if kill % 3 else LONGEST_START))
        os.kill(process, signal.SIGKILL)
        assert processes.exit_code() == -signal.SIGKILL
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # An unreadable checkpoint would be warned of.
            checkpoints.newest_readable()
    assert checkpoints.steps()[-1] > 2 * KILLS / 3
    processes.start(killed)
    assert processes.exit_code() == 0
    assert_same_run(undisturbed, killed)
