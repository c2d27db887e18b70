"""What jax-triton emits is assembled for sm_90 and fits there, found out without a GPU."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tests.recurrence.kernels.limits import DEVICES, KERNELS, MOST_REGISTERS

if keras.backend.backend() != "jax":
    pytest.skip("jax-triton belongs to the jax backend", allow_module_level=True)
if importlib.util.find_spec("jax_triton") is None:
    pytest.skip("jax-triton is not installed: its calls are NOT compiled", allow_module_level=True)

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("head_dim", "dtype"),
    ((144, "bfloat16"), (288, "bfloat16"), (576, "bfloat16"), (144, "float32")),
)
def test_fits(head_dim, dtype):
    # A process of its own: inside this one Triton may be set to interpret kernels.
    environment = {key: x for key, x in os.environ.items() if key != "TRITON_INTERPRET"}
    module = "tests.recurrence.kernels.jax_compile_report"
    command = [sys.executable, "-m", module, str(head_dim), dtype]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    rows = json.loads(finished.stdout.splitlines()[-1])
    assert {row["kernel"] for row in rows} == {*KERNELS}
    short = {"bfloat16": "bf16", "float32": "fp32"}[dtype]
    for row in rows:
        assert row["target"] == "sm_90a"
        assert row["registers"] <= MOST_REGISTERS, row
        assert row["spilled"] <= DEVICES[90].spilled.get((row["kernel"], head_dim, short), 0), row
        assert row["shared"] <= DEVICES[90].shared, row
