"""An `AxLSTMBlock` on a sequence that comes in parts."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_axlstm.layers import AxLSTMBlock
from keras_axlstm.layers.headwise_projection import dense_tiles
from keras_axlstm.streaming.matrix_memory import MatrixMemory


class BlockStream:
    """A block with its state: the last inputs of the convolution, and the matrix memory.

    In NumPy. A step is a few small products, and Keras would spend several times as long on calling
    them one by one as they take; see tools/benchmark_stream.py.

    Args:
        block: a built block that is not reversed. Its weights are copied.
    """

    def __init__(self, block: AxLSTMBlock):
        mixer = block.mixer_parameters()
        # The scale of the first norm goes into the projection. That is kept in two halves: for a
        # few rows OpenBLAS is twice as fast on each as on half of the whole.
        up = to_float32(block.up_projection.kernel)
        up *= 1 + to_float32(block.norm.scale)[:, np.newaxis]
        self._up_u, self._up_z = map(np.ascontiguousarray, np.split(up, 2, axis=1))
        self._down = to_float32(block.down_projection.kernel)
        self._taps = to_float32(mixer.convolution_kernel)
        self._bias = to_float32(mixer.convolution_bias)
        self._query_tiles = to_float32(dense_tiles(mixer.query_kernel))
        self._value_tiles = to_float32(dense_tiles(mixer.value_kernel))
        self._gates_convolved = to_float32(mixer.gate_kernel_convolved)
        self._gates_inputs = to_float32(mixer.gate_kernel_inputs)
        self._gate_bias = to_float32(mixer.gate_bias)
        self._skip = to_float32(mixer.skip)
        self._heads = block.num_heads
        self._log_i, self._log_f = _LOG_GATES[block.input_gate], _LOG_GATES[block.forget_gate]
        self._head_scale = 1 + to_float32(mixer.norm_scale)
        self._epsilons = block.norm.epsilon, block.mlstm.norm.epsilon
        channels = self._skip.size
        self._last = np.zeros((len(self._taps) - 1, channels), "float32")
        self._memory = MatrixMemory(self._heads, channels // self._heads)

    def restart(self) -> None:
        """Begin a new sequence."""
        self._last[:] = 0
        self._memory.clear()

    def push(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs `(steps, channels)` for the next inputs `(steps, channels)`."""
        normalized = standardize(inputs, self._epsilons[0])
        u, z = normalized @ self._up_u, normalized @ self._up_z
        c = _silu(self._convolve(u))
        gates = c @ self._gates_convolved + u @ self._gates_inputs + self._gate_bias
        gates = gates.astype("float64")
        h = self._memory.push(
            _project(c, self._query_tiles),
            c,
            u,
            self._log_i(gates[:, : self._heads]),
            self._log_f(gates[:, self._heads :]),
        )
        heads = _project(h, self._value_tiles).reshape(len(h), self._heads, -1)
        h = standardize(heads, self._epsilons[1]).reshape(h.shape) * self._head_scale
        return inputs + ((h + self._skip * c) * _silu(z)) @ self._down

    def _convolve(self, u: np.ndarray) -> np.ndarray:
        extended = np.concatenate([self._last, u])
        outputs = u * self._taps[-1] + self._bias
        for tap in range(len(self._taps) - 1):
            outputs += extended[tap : tap + len(u)] * self._taps[tap]
        self._last = extended[len(u) :]
        return outputs


def to_float32(tensor: Any) -> np.ndarray:
    """A copy, in float32, of a tensor or variable of any backend."""
    return np.array(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))


def standardize(x: np.ndarray, epsilon: float) -> np.ndarray:
    """Layer normalisation over the last axis, without scale."""
    x = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(variance + np.float32(epsilon))


def _log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0, -x)


def _identity(x: np.ndarray) -> np.ndarray:
    return x


_LOG_GATES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": _log_sigmoid,
    "exp": _identity,
}


def _silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def _project(x: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """`(steps, channels)` times a block-diagonal matrix in `(tiles, width, width)`."""
    outputs = np.empty_like(x)
    by_tile = [y.reshape(len(x), *tiles.shape[:2]).swapaxes(0, 1) for y in (x, outputs)]
    np.matmul(by_tile[0], tiles, out=by_tile[1])
    return outputs
