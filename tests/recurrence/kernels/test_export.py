"""Which kernels are in a model exported for a CPU, a TPU or a GPU, none of which has to be here."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("jax.export belongs to the jax backend", allow_module_level=True)

import jax
import jax.numpy as jnp
from jax import export

from keras_axlstm import AxLSTMEncoder, ops
from keras_axlstm.recurrence.kernels import jax_kernels
from keras_axlstm.recurrence.kernels.native import build
from keras_axlstm.recurrence.kernels.native.call import mlstm_call
from keras_axlstm.recurrence.kernels.native.jax_binding import TARGET
from keras_axlstm.recurrence.kernels.triton import jax_availability

ROOT = Path(__file__).parents[3]
TPU_TARGET = "tpu_custom_call"
TRITON_TARGET = "triton_kernel_call"
TARGETS = {TARGET, TPU_TARGET, TRITON_TARGET}
KERNELS = {"cpu": {TARGET}, "tpu": {TPU_TARGET}, "cuda": set()}

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("jax_triton") is None or "TRITON_INTERPRET" in os.environ,
    reason="no jax-triton, or Triton interprets kernels: calls of them are NOT tested",
)


@pytest.fixture(autouse=True)
def no_cuda_device(monkeypatch):
    monkeypatch.setattr(jax_availability, "capability", lambda: None)


@pytest.fixture
def cuda_device(no_cuda_device, monkeypatch):
    monkeypatch.setattr(jax_availability, "capability", lambda: 90)


@pytest.fixture(scope="module")
def encoder():
    options = {"num_heads": 2, "expansion_factor": 2, "flip": True}
    return AxLSTMEncoder(
        spectrogram_shape=[32, 16], patch_size=[4, 4], hidden_dim=64, num_layers=2, **options
    )


def forward(encoder):
    """The encoder as a function of its trainable values and a batch of spectrograms."""
    fixed = [variable.value for variable in encoder.non_trainable_variables]
    return lambda trainable, x: encoder.stateless_call(trainable, fixed, x)[0]


def loss_gradient(encoder):
    model = forward(encoder)
    return jax.grad(lambda trainable, x: jnp.mean(model(trainable, x) ** 2))


def exported(function, encoder, platform):
    """StableHLO for a platform."""
    trainable = [variable.value for variable in encoder.trainable_variables]
    # The kernels for CPUs and GPUs are compiled for the machine that runs them.
    allowed = [export.DisabledSafetyCheck.custom_call(x) for x in (TARGET, TRITON_TARGET)]
    make = export.export(jax.jit(function), platforms=[platform], disabled_checks=allowed)
    return make(trainable, np.zeros((2, 32, 16), "float32")).mlir_module()


def kernels_in(module):
    return set(calls_in(module))


def calls_in(module):
    return [target for target in re.findall(r"custom_call @([\w.]+)", module) if target in TARGETS]


@pytest.mark.parametrize("platform", KERNELS)
@pytest.mark.parametrize("function", (forward, loss_gradient))
def test_kernels_of_the_platform(encoder, function, platform):
    module = exported(function(encoder), encoder, platform)
    assert kernels_in(module) == KERNELS[platform]
    if platform == "tpu":
        names = {"mlstm_forward"} | ({"mlstm_backward"} if function is loss_gradient else set())
        assert set(re.findall(r'kernel_name = "(\w+)"', module)) == names


def test_a_tpu_needs_no_compiler(encoder, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    monkeypatch.setattr(build, "unavailable", lambda backend: ["no C++ compiler found"])
    assert kernels_in(exported(loss_gradient(encoder), encoder, "tpu")) == {TPU_TARGET}
    assert kernels_in(exported(loss_gradient(encoder), encoder, "cpu")) == set()


@needs_triton
@pytest.mark.parametrize(("function", "launches"), ((forward, 1), (loss_gradient, 5)))
def test_a_cuda_device_takes_triton_kernels(encoder, cuda_device, function, launches):
    """Launches of a layer; in the backward pass the middle of a block is computed again."""
    module = exported(function(encoder), encoder, "cuda")
    assert calls_in(module) == [TRITON_TARGET] * launches * encoder.num_layers
    assert kernels_in(exported(function(encoder), encoder, "cpu")) == {TARGET}


@pytest.mark.parametrize(
    ("missing", "found"), (("jax_triton", 90), ("triton", 90), (None, 75), (None, None))
)
def test_no_triton_kernels(encoder, monkeypatch, missing, found):
    """Without the extra, on an old device, and where none is there to compile for."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find_spec(name)
    )
    monkeypatch.setattr(jax_availability, "capability", lambda: found)
    assert jax_availability.unavailable()
    assert kernels_in(exported(loss_gradient(encoder), encoder, "cuda")) == set()


@needs_triton
def test_no_triton_kernels_beside_tensorflow(cuda_device, monkeypatch):
    """Importing Triton would end the process."""
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    monkeypatch.delitem(sys.modules, "triton", raising=False)
    assert ["TensorFlow is loaded" in reason for reason in jax_availability.unavailable()] == [True]


@needs_triton
def test_a_cuda_device_needs_no_compiler(encoder, cuda_device, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(build, "unavailable", lambda backend: ["no C++ compiler found"])
    query = jax.ShapeDtypeStruct((1, 9, 2, 144), "bfloat16")
    assert jax_kernels.language("mlstm", query) == "Triton"
    assert jax_kernels.language("mixer", query) is None
    assert kernels_in(exported(loss_gradient(encoder), encoder, "cuda")) == {TRITON_TARGET}


@needs_triton
@pytest.mark.parametrize(
    ("capability", "dim", "dtype", "taken"),
    (
        *((90, 144, "float32", True), (90, 576, "bfloat16", True), (90, 577, "float32", False)),
        *((100, 576, "bfloat16", True), (80, 144, "bfloat16", True), (120, 288, "float32", True)),
        *((89, 145, "bfloat16", False), (120, 289, "float32", False), (75, 16, "float32", False)),
    ),
)
def test_triton_takes(monkeypatch, capability, dim, dtype, taken):
    monkeypatch.setattr(jax_availability, "capability", lambda: capability)
    query = jax.ShapeDtypeStruct((1, 9, 2, dim), dtype)
    assert jax_availability.takes(mlstm_call(query, 4, True)) == taken
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert (jax_kernels.language("mlstm", query) == "Triton") == taken


def test_a_state_takes_no_tpu_kernel():
    def function(query, gate):
        return ops.mlstm(query, query, query, gate, gate, form="parallel", return_state=True)

    query, gate = np.zeros((1, 20, 2, 16), "float32"), np.zeros((1, 20, 2), "float32")
    module = export.export(jax.jit(function), platforms=["tpu"])(query, gate).mlir_module()
    assert kernels_in(module) == set()


DISTRIBUTED = """
import sys
import jax, keras, numpy as np
from keras_axlstm import ops
from keras_axlstm.recurrence.kernels.triton import jax_availability

platform, target = sys.argv[1:]
jax_availability.capability = lambda: 90

keras.distribution.set_distribution(keras.distribution.DataParallel())
mesh = keras.distribution.distribution().device_mesh.backend_mesh

def function(query, gate):
    return ops.mlstm(query, query, query, gate, gate, form="parallel").sum()

def exported(batch):
    query, gate = np.zeros((batch, 20, 2, 16), "float32"), np.zeros((batch, 20, 2), "float32")
    spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
    gradient = jax.jit(jax.grad(function), in_shardings=spread if batch % 2 == 0 else None)
    return gradient.trace(query, gate).lower(lowering_platforms=(platform,)).as_text()

print(len(jax.devices()), exported(4).count("@" + target), target in exported(3))
"""


@pytest.mark.parametrize(
    ("platform", "target", "count"),
    (("tpu", TPU_TARGET, "2"), pytest.param("cuda", TRITON_TARGET, "4", marks=needs_triton)),
)
def test_a_batch_on_two_devices(platform, target, count):
    """In a process with two devices. A batch that they cannot share equally takes no kernel."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", DISTRIBUTED, platform, target]
    environment = {**os.environ, **flags, "KERAS_BACKEND": "jax"}
    finished = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["2", count, "False"]


def test_a_distribution_over_one_device_takes_the_kernel(encoder):
    mesh = keras.distribution.DeviceMesh((1,), ["batch"], jax.devices()[:1])
    with keras.distribution.DataParallel(mesh).scope():
        assert kernels_in(exported(forward(encoder), encoder, "tpu")) == {TPU_TARGET}


STEPS = 150  # more than a block of `keras.ops` has


@pytest.mark.parametrize("implementation", ("ops", "fused"))
def test_scores_are_not_kept_for_the_backward_pass(implementation):
    """Residuals of the parallel form grow with time, not with its square."""

    def function(query, gate):
        options = {"form": "parallel", "implementation": implementation}
        return ops.mlstm(query, query, query, gate, gate, **options)

    query, gate = jnp.zeros((1, STEPS, 2, 16)), jnp.zeros((1, STEPS, 2))
    pull_back = jax.eval_shape(lambda *xs: jax.vjp(function, *xs)[1], query, gate)
    largest = max(residual.size for residual in jax.tree.leaves(pull_back))
    assert largest <= query.size
