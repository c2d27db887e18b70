"""What holds for every test: seeds, the backend in the header, the GPU marker, full precision."""

import functools

import hypothesis
import keras
import keras_hub
import pytest

# No deadlines: they fail on a busy machine. Fixed examples: a red run can be run again.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("suite")

# Where tests run that need no backend in particular.
ANY_BACKEND = "torch"
GPU_REASON = "needs a GPU, and the backend sees none"


def pytest_configure() -> None:
    """Products in float32 where GPUs would round their operands to TF32."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
    elif backend == "torch":
        import torch

        torch.backends.cudnn.allow_tf32 = False


def pytest_report_header() -> str:
    backend = keras.backend.backend()
    return (
        f"keras backend: {backend} (keras {keras.__version__}, keras-hub {keras_hub.__version__}),"
        f" GPU: {'yes' if gpu_available() else 'no'}"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what does not depend on the backend to one of them."""
    if keras.backend.backend() == ANY_BACKEND:
        return
    elsewhere = [item for item in items if item.get_closest_marker("any_backend")]
    # A file that is asked for by name runs.
    if len(elsewhere) < len(items):
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in set(elsewhere)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not gpu_available():
        pytest.skip(GPU_REASON)


def pytest_terminal_summary(terminalreporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if GPU_REASON in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"GPU tests that did NOT run: {len(skipped)}", yellow=True)


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    keras.utils.set_random_seed(0)


@functools.cache
def gpu_available() -> bool:
    """True if the active backend sees a GPU."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.default_backend() == "gpu"
    if backend == "torch":
        import torch

        return torch.cuda.is_available()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
