"""The Triton kernels fit on their devices: compiled and read from the binary, without a GPU."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tests.recurrence.kernels.limits import DEVICES, KERNELS, MOST_REGISTERS

if keras.backend.backend() != "torch":
    pytest.skip("the Triton kernels belong to the torch backend", allow_module_level=True)
if importlib.util.find_spec("triton") is None:
    pytest.skip("Triton is not installed: its kernels are NOT compiled", allow_module_level=True)

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("capability", DEVICES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_fits(kernel, capability):
    # A process of its own: inside this one Triton may be set to interpret kernels.
    environment = {key: x for key, x in os.environ.items() if key != "TRITON_INTERPRET"}
    report = "tests.recurrence.kernels.compile_report"
    command = [sys.executable, "-m", report, kernel, str(capability)]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    rows = json.loads(finished.stdout.splitlines()[-1])
    device = DEVICES[capability]
    assert len(rows) >= len(device.problems)
    for row in rows:
        allowed = device.spilled.get((kernel, row["head_dim"], row["dtype"]), 0)
        assert row["registers"] <= MOST_REGISTERS, row
        assert row["spilled"] <= allowed, row
        assert row["shared"] <= device.shared, row
