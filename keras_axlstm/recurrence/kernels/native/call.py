"""What a kernel is given and returns, the same for every backend.

Each backend passes its own `Run`, which hands arrays to a kernel; `None` is an array that is not
there. Arrays that the kernels return are described by shape and dtype before they exist.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

# In the order of kKernels in src/library.h.
KERNELS = (
    "mlstm_forward",
    "mlstm_backward",
    "mixer_forward",
    "mixer_backward",
    "product",
    "block",
)
# Steps of a tile, kTile in src/head.h.
TILE = 64
Array = Any
Spec = tuple[tuple[int | None, ...], str] | None  # shape and dtype
# (kernel, sizes, inputs, outputs) to arrays in the order of the outputs.
Run = Callable[[str, Sequence[int], Sequence[Array | None], Sequence[Spec]], list[Array | None]]
States = tuple[Array, Array, Array] | None


def describe(kernel: str, sizes: Sequence[int], inputs: Sequence, outputs: Sequence) -> list[int]:
    """The numbers that go with a call, read by `Call` in src/bind_xla.cc."""
    description = [KERNELS.index(kernel), len(sizes), *sizes]
    for arrays in (inputs, outputs):
        description += [len(arrays), *(int(array is not None) for array in arrays)]
    return description


def tiles(steps: int, chunk_size: int | None) -> int:
    """Tiles of a chunk; `None` is one chunk, the parallel form."""
    return max(1, (min(chunk_size or steps, steps) + TILE - 1) // TILE)


class MixerParameters(NamedTuple):
    """Weights of the middle of an AxLSTM block, float32, in the order of the kernels."""

    convolution_kernel: Array  # (taps, channels), the oldest tap first
    convolution_bias: Array  # (channels)
    query_kernel: Array  # (channels / 4, 4, 4): of both sides of the scores
    gate_kernel_convolved: Array  # (channels, 2 heads), of c: input gates, then forget gates
    gate_kernel_inputs: Array  # (channels, 2 heads), of u
    gate_bias: Array  # (2 heads)
    value_kernel: Array  # (channels / 4, 4, 4)
    norm_scale: Array  # (channels), w of 1 + w
    skip: Array  # (channels)


class MixerOptions(NamedTuple):
    """What is fixed when a block is built."""

    heads: int
    reverse: bool = False
    sigmoid_input_gate: bool = False
    sigmoid_forget_gate: bool = True
    chunk_size: int | None = None
    epsilon: float = 1e-5

    def integers(self) -> list[int]:
        """All but epsilon as integers, 0 for None."""
        return [int(option or 0) for option in self[:5]]

    @classmethod
    def of(cls, integers: Sequence[int]) -> "MixerOptions":
        """Inverse of `integers`."""
        heads, reverse, sigmoid_input_gate, sigmoid_forget_gate, chunk_size = integers
        return cls(
            heads,
            bool(reverse),
            bool(sigmoid_input_gate),
            bool(sigmoid_forget_gate),
            chunk_size or None,
        )


class MLSTMCall(NamedTuple):
    """One call of the op `mlstm`; arrays (B, S, NH, DH), gates and row sums (B, NH, S)."""

    batch: int | None  # None while TensorFlow traces an open one
    steps: int
    heads: int
    dim: int
    chunk: int
    reverse: bool
    dtype: str

    def sizes(self) -> list[int]:
        return [*(int(size or 0) for size in self[:6]), int(self.dtype == "bfloat16")]

    def states(self, wanted: bool) -> list[Spec]:
        batch, heads, dim = self.batch, self.heads, self.dim
        shapes = ((batch, heads, dim, dim), (batch, heads, dim), (batch, heads))
        return [(shape, "float32") if wanted else None for shape in shapes]

    def forward(
        self, run: Run, inputs: Sequence[Array], initial: States, return_state: bool
    ) -> list[Array | None]:
        """h, l, m and the last C, n, m from query, key, value, log_i, log_f."""
        outputs = [*self.results(), *self.states(return_state)]
        return run("mlstm_forward", self.sizes(), [*inputs, *_states(initial)], outputs)

    def backward(
        self,
        run: Run,
        inputs: Sequence[Array],
        initial: States,
        results: Sequence[Array],
        dh: Array,
        dlast: States,
    ) -> list[Array | None]:
        """Gradients of the five inputs and of the initial state from h, l, m and those of h and
        the last state."""
        rows: Spec = ((self.batch, self.heads, self.steps), "float32")
        like_query: Spec = (self.shape(), self.dtype)
        outputs = [*[like_query] * 3, rows, rows, *self.states(initial is not None)]
        arrays = [*inputs, *_states(initial), *results, dh, *_states(dlast)]
        return run("mlstm_backward", self.sizes(), arrays, outputs)

    def results(self) -> list[Spec]:
        """h, l, m: what the backward pass needs of the forward pass."""
        rows: Spec = ((self.batch, self.heads, self.steps), "float32")
        return [(self.shape(), "float32"), rows, rows]

    def one_chunk(self) -> bool:
        """Whether the chunk holds all steps, which is the parallel form."""
        return self.chunk == tiles(self.steps, None)

    def shape(self) -> tuple[int | None, ...]:
        return self.batch, self.steps, self.heads, self.dim


class MixerCall(NamedTuple):
    """One call of the middle of an AxLSTM block; inputs (B, S, 2 channels)."""

    batch: int | None  # None while TensorFlow traces an open one
    steps: int
    heads: int
    dim: int
    chunk: int
    reverse: bool
    taps: int
    sigmoid_input_gate: bool
    sigmoid_forget_gate: bool
    dtype: str

    def sizes(self) -> list[int]:
        return [*(int(size or 0) for size in self[:9]), int(self.dtype == "bfloat16")]

    def forward(
        self,
        run: Run,
        inputs: Array,
        mask: Array | None,
        parameters: MixerParameters,
        epsilon: Array,
        save: bool,
    ) -> list[Array | None]:
        """y (B, S, channels), gate pre-activations, and h, l, m for the backward pass if saved."""
        y: Spec = ((self.batch, self.steps, self.channels()), self.dtype)
        gates, *sums = self.saved()
        outputs = [y, gates, *(sums if save else [None] * len(sums))]
        arrays = [inputs, mask, *parameters, epsilon]
        return run("mixer_forward", self.sizes(), arrays, outputs)

    def backward(
        self,
        run: Run,
        inputs: Array,
        mask: Array | None,
        parameters: MixerParameters,
        epsilon: Array,
        saved: Sequence[Array],
        dy: Array,
    ) -> list[Array | None]:
        """Gradients of inputs and parameters; saved are the forward pass's outputs but y."""
        channels, heads = self.channels(), self.heads
        kernel = (channels // 4, 4, 4)
        shapes = (
            (self.taps, channels),
            (channels,),
            kernel,
            (channels, 2 * heads),
            (channels, 2 * heads),
            (2 * heads,),
            kernel,
            (channels,),
            (channels,),
        )
        outputs: list[Spec] = [((self.batch, self.steps, 2 * channels), self.dtype)]
        outputs += [(shape, "float32") for shape in shapes]
        arrays = [inputs, mask, *parameters, epsilon, *saved, dy]
        return run("mixer_backward", self.sizes(), arrays, outputs)

    def saved(self) -> list[Spec]:
        """Gate pre-activations, h, l, m: what the backward pass needs of the forward pass."""
        gates: Spec = ((self.batch, self.steps, 2 * self.heads), "float32")
        h: Spec = ((self.batch, self.steps, self.heads, self.dim), "float32")
        rows: Spec = ((self.batch, self.heads, self.steps), "float32")
        return [gates, h, rows, rows]

    def channels(self) -> int:
        return self.heads * self.dim


class ProjectionCall(NamedTuple):
    """One product of rows of channels with a kernel."""

    rows: int | None  # None while TensorFlow traces an open number
    inputs: int
    outputs: int
    dtype: str

    def forward(self, run: Run, x: Array, kernel: Array) -> Array:
        """x kernel, (rows, outputs)."""
        spec: Spec = ((self.rows, self.outputs), self.dtype)
        return self._product(run, x, kernel, self.outputs, False, False, spec)

    def backward(self, run: Run, x: Array, kernel: Array, dy: Array) -> tuple[Array, Array]:
        """Gradients of x and kernel."""
        like_x: Spec = ((self.rows, self.inputs), self.dtype)
        like_kernel: Spec = ((self.inputs, self.outputs), self.dtype)
        return (
            self._product(run, dy, kernel, self.inputs, False, True, like_x),
            self._product(run, x, dy, self.outputs, True, False, like_kernel),
        )

    def _product(self, run, left, right, columns, left_transposed, right_transposed, spec):
        sizes = [
            int(self.rows or 0),
            left.shape[1],
            columns,
            int(left_transposed),
            int(right_transposed),
            int(self.dtype == "bfloat16"),
        ]
        return run("product", sizes, [left, right], [spec])[0]


def mlstm_call(query: Array, chunk_size: int | None, reverse: bool) -> MLSTMCall:
    """The call for a query (B, S, NH, DH)."""
    batch, steps, heads, dim = query.shape
    return MLSTMCall(batch, steps, heads, dim, tiles(steps, chunk_size), reverse, dtype_of(query))


def mixer_call(inputs: Array, parameters: MixerParameters, options: MixerOptions) -> MixerCall:
    """The call for inputs (B, S, 2 channels)."""
    batch, steps, channels = inputs.shape
    return MixerCall(
        batch,
        steps,
        options.heads,
        channels // 2 // options.heads,
        tiles(steps, options.chunk_size),
        options.reverse,
        parameters.convolution_kernel.shape[0],
        options.sigmoid_input_gate,
        options.sigmoid_forget_gate,
        dtype_of(inputs),
    )


def projection_call(x: Array, kernel: Array) -> ProjectionCall:
    """The call for rows x (rows, inputs) and a kernel (inputs, outputs)."""
    inputs, outputs = kernel.shape
    return ProjectionCall(x.shape[0], inputs, outputs, dtype_of(x))


def dtype_of(x: Array) -> str:
    """`"float32"` or `"bfloat16"`, the dtypes that the kernels read."""
    return keras.backend.standardize_dtype(x.dtype)


def _states(states: States) -> Sequence[Array | None]:
    return (None, None, None) if states is None else states
