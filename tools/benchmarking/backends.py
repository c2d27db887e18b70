"""What differs between the backends: compiling, gradients, waiting, the device's memory.

Only for child processes, whose environment has chosen the backend.
"""

from collections.abc import Callable, Sequence
from typing import Any

Thunk = Callable[[], Any]


class JaxBackend:
    """Everything under `jax.jit`."""

    def __init__(self) -> None:
        import jax

        self._jax = jax
        self._device = jax.devices()[0]

    def device(self) -> str:
        """`"cpu"`, or the name of the accelerator."""
        return "cpu" if self._device.platform == "cpu" else self._device.device_kind

    def wait(self, outputs: Any) -> None:
        """Return once `outputs` are computed."""
        self._jax.block_until_ready(outputs)

    def forward(self, encoder: Any, spectrogram: Any, compiled: bool) -> Thunk:
        """The encoder without gradient, compiled as Keras compiles prediction."""

        def call(trainable: list, non_trainable: list, x: Any) -> Any:
            outputs, _ = encoder.stateless_call(trainable, non_trainable, x, training=False)
            return outputs

        states = encoder.trainable_variables, encoder.non_trainable_variables
        weights = [[variable.value for variable in variables] for variables in states]
        return self.function(call, [*weights, spectrogram], compiled)

    def function(self, function: Callable, inputs: Sequence, compiled: bool) -> Thunk:
        """`function(*inputs)`, compiled; the inputs are arguments, lest they are folded."""
        jitted = self._jax.jit(function)
        return lambda: jitted(*inputs)

    def gradient(self, loss: Callable, inputs: Sequence, fixed: Sequence, compiled: bool) -> Thunk:
        """`loss(*inputs, *fixed)` and its gradients by `inputs`."""
        gradient = self._jax.value_and_grad(loss, tuple(range(len(inputs))))
        return self.function(gradient, [*inputs, *fixed], compiled)

    def device_peak(self) -> int | None:
        """Peak bytes on the accelerator since the process began."""
        statistics = self._device.memory_stats() if self.device() != "cpu" else None
        return statistics.get("peak_bytes_in_use") if statistics else None

    def restart_device_peak(self) -> None:
        """JAX does not set its peak back."""


class TensorFlowBackend:
    """Everything in `tf.function`: forward with XLA as `AudioEmbedder`, training as Keras."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._tf = tf
        self._gpus = tf.config.list_physical_devices("GPU")

    def device(self) -> str:
        if not self._gpus:
            return "cpu"
        details = self._tf.config.experimental.get_device_details(self._gpus[0])
        return details.get("device_name", "gpu")

    def wait(self, outputs: Any) -> None:
        if self._gpus:
            self._tf.test.experimental.sync_devices()

    def forward(self, encoder: Any, spectrogram: Any, compiled: bool) -> Thunk:
        function = self._tf.function(lambda x: encoder(x, training=False), jit_compile=True)
        return lambda: function(spectrogram)

    def function(self, function: Callable, inputs: Sequence, compiled: bool) -> Thunk:
        jitted = self._tf.function(function, jit_compile=True)
        return lambda: jitted(*inputs)

    def gradient(self, loss: Callable, inputs: Sequence, fixed: Sequence, compiled: bool) -> Thunk:
        def value_and_gradients(*arguments: Any) -> Any:
            watched = arguments[: len(inputs)]
            with self._tf.GradientTape() as tape:
                tape.watch(watched)
                value = loss(*arguments)
            return value, tape.gradient(value, watched)

        return self.function(value_and_gradients, [*inputs, *fixed], compiled)

    def device_peak(self) -> int | None:
        if not self._gpus:
            return None
        return self._tf.config.experimental.get_memory_info("GPU:0")["peak"]

    def restart_device_peak(self) -> None:
        if self._gpus:
            self._tf.config.experimental.reset_memory_stats("GPU:0")


class TorchBackend:
    """Eager, as Keras runs it, or under `torch.compile`."""

    def __init__(self) -> None:
        import torch

        self._torch = torch
        self._cuda = torch.cuda.is_available()

    def device(self) -> str:
        return self._torch.cuda.get_device_name() if self._cuda else "cpu"

    def wait(self, outputs: Any) -> None:
        if self._cuda:
            self._torch.cuda.synchronize()

    def forward(self, encoder: Any, spectrogram: Any, compiled: bool) -> Thunk:
        return self.function(lambda x: encoder(x, training=False), [spectrogram], compiled)

    def function(self, function: Callable, inputs: Sequence, compiled: bool) -> Thunk:
        called = self._torch.compile(function) if compiled else function

        def run() -> Any:
            with self._torch.no_grad():
                return called(*inputs)

        return run

    def gradient(self, loss: Callable, inputs: Sequence, fixed: Sequence, compiled: bool) -> Thunk:
        called = self._torch.compile(loss) if compiled else loss
        leaves = [x.detach().clone().requires_grad_() for x in inputs]

        def run() -> Any:
            value = called(*leaves, *fixed)
            # Attention has no use for the gates that it is given.
            return value, self._torch.autograd.grad(value, leaves, allow_unused=True)

        return run

    def device_peak(self) -> int | None:
        return self._torch.cuda.max_memory_allocated() if self._cuda else None

    def restart_device_peak(self) -> None:
        if self._cuda:
            self._torch.cuda.reset_peak_memory_stats()


Backend = JaxBackend | TensorFlowBackend | TorchBackend
BACKENDS: dict[str, type[Backend]] = {
    "jax": JaxBackend,
    "tensorflow": TensorFlowBackend,
    "torch": TorchBackend,
}
