"""The same training on one device, on several, and in several processes: one loss curve."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_axlstm.training.callbacks.history_log import read_history
from tests.support.tolerances import BACKENDS_AGREE

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()
TWO_DEVICES = {"TENSORFLOW_DEVICES": "2"}
EIGHT_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def jax_processes():
    """Two processes of two devices each."""
    (port,) = free_ports(1)
    return [
        {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
            "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
            "KERAS_DISTRIBUTION_PROCESS_ID": str(index),
        }
        for index in range(2)
    ]


def tensorflow_workers():
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        {
            "TF_CONFIG": json.dumps(
                {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            )
        }
        for index in range(2)
    ]


def torch_processes():
    """What torchrun sets."""
    (port,) = free_ports(1)
    return [
        {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "WORLD_SIZE": "2",
            "RANK": str(index),
            "LOCAL_RANK": str(index),
        }
        for index in range(2)
    ]


# Arguments, and the environments of all processes.
CASES = {
    "jax": {
        "8 devices": (("data",), lambda: [EIGHT_DEVICES]),
        "4 groups of 2 devices": (("model", "2"), lambda: [EIGHT_DEVICES]),
        "2 processes": (("data",), jax_processes),
    },
    "tensorflow": {
        "2 devices": (("data",), lambda: [TWO_DEVICES]),
        "2 workers": (("data",), tensorflow_workers),
    },
    "torch": {"2 processes": (("data",), torch_processes)},
}[BACKEND]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Sixty-four clips, each of its own tone in noise."""
    import soundfile

    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    time = np.arange(12000) / 16000
    for index in range(64):
        tone = np.sin(2 * np.pi * (100 + 50 * index) * time)
        clip = 0.2 * tone + 0.05 * rng.normal(size=time.size)
        soundfile.write(folder / f"{index:02d}.wav", clip, 16000)
    return folder


def train(clips, output, arguments, environments, expected_code=0):
    """Run all processes; the rows of the log."""
    common = {**os.environ, "KERAS_BACKEND": BACKEND, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.distribution.train", str(clips), str(output)]
    processes = [
        subprocess.Popen(
            [*command, *arguments],
            env=common | environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for environment in environments
    ]
    try:
        outputs = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, text in zip(processes, outputs, strict=True):
        assert process.returncode == expected_code, text[-5000:]
    return read_history(output / "history.csv") if expected_code == 0 else []


@pytest.fixture(scope="module")
def one_device(clips, tmp_path_factory):
    return train(clips, tmp_path_factory.mktemp("one") / "preset", ("none",), [{}])


@pytest.mark.parametrize("case", CASES)
def test_loss_curve(case, clips, one_device, tmp_path):
    arguments, environments = CASES[case]
    history = train(clips, tmp_path / "preset", arguments, environments())
    for column in ("loss", "reconstruction_mse", "learning_rate", "step"):
        expected = [row[column] for row in one_device]
        assert [row[column] for row in history] == pytest.approx(expected, rel=BACKENDS_AGREE)
    losses = [row["loss"] for row in one_device]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_going_on_with_other_devices(clips, one_device, tmp_path):
    """From the checkpoint of step 10 of a run on one device."""
    output = tmp_path / "preset"
    train(clips, output, ("none",), [{"CRASH_AFTER": "15"}], expected_code=3)
    arguments, environments = list(CASES.values())[-1]
    history = train(clips, output, arguments, environments())
    losses = [row["loss"] for row in history]
    assert losses == pytest.approx([row["loss"] for row in one_device], rel=BACKENDS_AGREE)
