"""What the kernel of a whole block is given and returns, the same for every backend."""

from collections.abc import Sequence
from typing import NamedTuple

from keras_axlstm.recurrence.kernels.native.call import Array, MixerOptions, Run, tiles


class BlockParameters(NamedTuple):
    """Weights of an AxLSTM block as its layers keep them, in the order of the kernel."""

    norm_scale: Array  # (width), w of 1 + w
    up_kernel: Array  # (width, 2 channels)
    convolution_kernel: Array  # (taps, channels), the oldest tap first
    convolution_bias: Array  # (channels)
    query_kernel: Array  # (channels / 4, 4, 4)
    key_kernel: Array
    value_kernel: Array
    input_gate_kernel: Array  # (3 channels, heads), of q, k and v
    input_gate_bias: Array  # (heads)
    forget_gate_kernel: Array
    forget_gate_bias: Array
    head_norm_scale: Array  # (channels), w of 1 + w
    skip: Array  # (channels)
    down_kernel: Array  # (channels, width)


class BlockOptions(NamedTuple):
    """What is fixed when a block is built."""

    mixer: MixerOptions
    norm_epsilon: float = 1e-5

    def epsilons(self) -> list[float]:
        """Of the first norm and of that of the heads."""
        return [self.norm_epsilon, self.mixer.epsilon]


class BlockCall(NamedTuple):
    """One call for inputs (B, S, width), float32."""

    batch: int | None  # None while TensorFlow traces an open one
    steps: int
    width: int
    channels: int
    taps: int
    options: BlockOptions

    def forward(
        self,
        run: Run,
        inputs: Array,
        mask: Array | None,
        parameters: Sequence[Array],
        epsilons: Array,
    ) -> Array:
        """(B, S, width)."""
        heads, reverse, *gates, chunk_size = self.options.mixer.integers()
        dim, chunk = self.channels // heads, tiles(self.steps, chunk_size or None)
        sizes = [int(self.batch or 0), self.steps, heads, dim, chunk, reverse, self.taps, *gates]
        outputs = [((self.batch, self.steps, self.width), "float32")]
        arrays = [inputs, mask, *parameters, epsilons]
        return run("block", [*sizes, self.width], arrays, outputs)[0]


def block_call(inputs: Array, parameters: BlockParameters, options: BlockOptions) -> BlockCall:
    """The call for inputs (B, S, width)."""
    batch, steps, width = inputs.shape
    taps, channels = parameters.convolution_kernel.shape
    return BlockCall(batch, steps, width, channels, taps, options)
