"""Checks a kernel on this machine against `keras.ops`: values and all gradients.

The shape is small and awkward: the last tile and the last chunk are not full, and the sequence
ends in masked steps.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_axlstm.layers.mixer import mix
from keras_axlstm.layers.projection import multiply
from keras_axlstm.layers.residual_block import apply_block
from keras_axlstm.recurrence import kernels
from keras_axlstm.recurrence.api import mlstm
from keras_axlstm.recurrence.kernels import (
    BlockOptions,
    BlockParameters,
    MixerOptions,
    MixerParameters,
    failures,
)
from keras_axlstm.recurrence.kernels.gradients import vjp

FORMS = ("parallel", "chunkwise")
PRODUCTS = ("product",)  # a projection has no form
# Of the kernel of a whole block, which has no gradients.
INFERENCE_DTYPES = ("float32",)
# Largest ||kernel - ops|| / ||ops|| by dtype: float32 sums in another order; a few roundings.
TOLERANCES = {"float32": 1e-4, "bfloat16": 2e-2}
# Of the presets. C++ code is the same for all sizes, Triton compiles each with tiles of its own.
HEAD_DIMS = {"C++": (144, 576), "Triton": (144, 288, 576)}

BATCH, STEPS, HEADS, CHUNK_SIZE = 2, 130, 2, 64
MASK = np.broadcast_to(np.arange(STEPS) < STEPS - 7, (BATCH, STEPS))


class Check(NamedTuple):
    """A kernel's result in one form, dtype and size; `exception` if it ended with one."""

    kernel: str
    form: str
    dtype: str
    head_dim: int
    seconds: float  # with compilation
    value_error: float = float("nan")  # the largest of the outputs
    gradient_error: float = float("nan")  # the largest of the inputs, 0 for a kernel without any
    exception: str | None = None

    @property
    def tolerance(self) -> float:
        return TOLERANCES[self.dtype]

    @property
    def problem(self) -> str | None:
        """What is wrong, None if nothing is."""
        case = f"{self.form}, {self.dtype}, head_dim {self.head_dim}"
        if self.exception is not None:
            return f"{self.exception} ({case})"
        # Not the other way round: errors that are not finite are wrong.
        if self.value_error <= self.tolerance and self.gradient_error <= self.tolerance:
            return None
        largest = np.maximum(self.value_error, self.gradient_error)
        return f"error {largest:.0e}, expected <= {self.tolerance:.0e} ({case})"


class KernelReport(NamedTuple):
    """What `check_kernel` found."""

    kernel: str
    unavailable: list[str]  # why there was nothing to check
    checks: list[Check]
    not_recorded: str | None = None  # why later processes will not know

    @property
    def problems(self) -> list[str]:
        return [check.problem for check in self.checks if check.problem]


class _Case(NamedTuple):
    """Arguments of a kernel, and what its outputs are weighted with for the gradients."""

    # (form, dtype) to a function from the arrays as tensors to a list of float32 tensors.
    function: Callable[[str, str], Callable]
    arrays: Sequence[np.ndarray]
    cotangents: Sequence[np.ndarray]


def check_kernel(kernel: str, head_dims: Sequence[int] | None = None) -> KernelReport:
    """Compare a kernel with `keras.ops` on the default device, and keep the result.

    A kernel with a problem is not used from then on, by this and later processes, until it passes.

    Args:
        kernel: one of `kernels.KERNELS`.
        head_dims: sizes of a head to check, those of the presets by default.
    """
    with failures.ignored():
        language, unavailable = kernels.language(kernel, ops.zeros((1, 1, 1, 1)))
        if language is None:
            return KernelReport(kernel, unavailable, [])
        sizes = head_dims or HEAD_DIMS[language]
        checks = [check for head_dim in sizes for check in _check_size(kernel, head_dim)]
    report = KernelReport(kernel, [], checks)
    try:
        failures.record(kernel, next(iter(report.problems), None))
    except OSError as error:
        return report._replace(not_recorded=str(error))
    return report


def _check_size(kernel: str, head_dim: int) -> list[Check]:
    case = CASES[kernel](head_dim)
    # The inputs have bfloat16 values, so one result in float32 is right for both dtypes.
    with kernels.implementation_set_to("ops"):
        expected = vjp(case.function(FORMS[0], "float32"), *case[1:])
    return [
        _check(kernel, case, form, dtype, head_dim, expected)
        for form in (PRODUCTS if kernel == "projection" else FORMS)
        for dtype in (INFERENCE_DTYPES if kernel == "block" else TOLERANCES)
        # Not every device takes every size in every dtype.
        if not kernels.unavailable(kernel, ops.zeros((1, 1, 1, head_dim), dtype))
    ]


def _check(kernel, case: _Case, form, dtype, head_dim, expected) -> Check:
    start = time.perf_counter()
    try:
        with kernels.implementation_set_to("fused"):
            received = vjp(case.function(form, dtype), *case[1:])
    # Whatever a compiler or a driver raises: a kernel that cannot run here has failed.
    except Exception as error:
        message = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        seconds = time.perf_counter() - start
        return Check(kernel, form, dtype, head_dim, seconds, exception=message)
    seconds = time.perf_counter() - start
    values, gradients = (
        max(map(_relative_error, *pair), default=0.0)
        for pair in zip(received, expected, strict=True)
    )
    return Check(kernel, form, dtype, head_dim, seconds, values, gradients)


def _relative_error(received: np.ndarray, expected: np.ndarray) -> float:
    """In norm; infinite if a received value is not finite, so that a maximum keeps it."""
    if not np.all(np.isfinite(received)):
        return float("inf")
    difference = received.astype("float64") - expected
    return float(np.linalg.norm(difference) / np.linalg.norm(expected.astype("float64")))


def _mlstm_case(head_dim: int) -> _Case:
    """With an initial state, and the last state among the outputs."""
    rng = np.random.default_rng(head_dim)
    sequence, gates = (BATCH, STEPS, HEADS, head_dim), (BATCH, STEPS, HEADS)
    state = ((BATCH, HEADS, head_dim, head_dim), (BATCH, HEADS, head_dim), (BATCH, HEADS))
    arrays = [_normal(rng, shape) for shape in (*[sequence] * 3, *[gates] * 2, *state)]
    arrays[4] += 4  # forget gates: long memories
    cotangents = [_normal(rng, shape) for shape in (sequence, *state)]

    def function(form, dtype):
        def compute(query, key, value, input_gate, forget_gate, *state):
            h, last = mlstm(
                ops.cast(query, dtype),
                ops.cast(key, dtype),
                ops.cast(value, dtype),
                input_gate,
                forget_gate,
                initial_state=state,
                return_state=True,
                mask=MASK,
                form=form,
                chunk_size=CHUNK_SIZE,
                output_dtype="float32",
            )
            return [_without_masked(h), *last]

        return compute

    return _Case(function, arrays, cotangents)


def _mixer_case(head_dim: int) -> _Case:
    """In both directions, the second half of the outputs being that of the reversed block."""
    rng = np.random.default_rng(head_dim)
    channels = HEADS * head_dim
    block = (channels // 4, 4, 4)
    shapes = MixerParameters(
        convolution_kernel=(4, channels),
        convolution_bias=(channels,),
        query_kernel=block,
        gate_kernel_convolved=(channels, 2 * HEADS),
        gate_kernel_inputs=(channels, 2 * HEADS),
        gate_bias=(2 * HEADS,),
        value_kernel=block,
        norm_scale=(channels,),
        skip=(channels,),
    )
    scales = MixerParameters(0.5, 0.1, 0.5, channels**-0.5, channels**-0.5, 1.0, 0.5, 0.1, 1.0)
    parameters = [_normal(rng, *pair) for pair in zip(shapes, scales, strict=True)]
    arrays = [_normal(rng, (BATCH, STEPS, 2 * channels)), *parameters]
    cotangents = [_normal(rng, (BATCH, STEPS, channels)) for _ in range(2)]

    def function(form, dtype):
        def compute(uz, *parameters):
            chunk_size = CHUNK_SIZE if form == "chunkwise" else None
            outputs = (
                mix(
                    ops.cast(uz, dtype),
                    ops.convert_to_tensor(MASK),
                    MixerParameters(*parameters),
                    MixerOptions(HEADS, reverse, chunk_size=chunk_size),
                )
                for reverse in (False, True)
            )
            return [_without_masked(ops.cast(y, "float32")) for y in outputs]

        return compute

    return _Case(function, arrays, cotangents)


def _projection_case(head_dim: int) -> _Case:
    """Up, with a number of channels that fills no tile."""
    rng = np.random.default_rng(head_dim)
    rows, inputs, outputs = BATCH * STEPS, HEADS * head_dim + 1, 2 * HEADS * head_dim + 1
    arrays = [_normal(rng, (rows, inputs)), _normal(rng, (inputs, outputs), inputs**-0.5)]

    def function(form, dtype):
        def compute(x, weights):
            y = multiply(ops.cast(x, dtype), ops.cast(weights, dtype))
            return [ops.cast(y, "float32")]

        return compute

    return _Case(function, arrays, [_normal(rng, (rows, outputs))])


def _block_case(head_dim: int) -> _Case:
    """As `_mixer_case`, with a width that fills no tile."""
    rng = np.random.default_rng(head_dim)
    channels, width = HEADS * head_dim, HEADS * head_dim // 2 + 1
    block, gates = (channels // 4, 4, 4), (3 * channels, HEADS)
    shapes = BlockParameters(
        norm_scale=(width,),
        up_kernel=(width, 2 * channels),
        convolution_kernel=(4, channels),
        convolution_bias=(channels,),
        query_kernel=block,
        key_kernel=block,
        value_kernel=block,
        input_gate_kernel=gates,
        input_gate_bias=(HEADS,),
        forget_gate_kernel=gates,
        forget_gate_bias=(HEADS,),
        head_norm_scale=(channels,),
        skip=(channels,),
        down_kernel=(channels, width),
    )
    weights = [_normal(rng, shape, 0.5 * shape[0] ** -0.5) for shape in shapes]
    # So that what the block adds to x is about as large, and not lost in the rounding of their sum.
    weights[-1] = weights[-1] * 2.0**10
    arrays = [_normal(rng, (BATCH, STEPS, width)), *weights]

    def function(form, dtype):
        def compute(x, *weights):
            chunk_size = CHUNK_SIZE if form == "chunkwise" else None
            options = (
                BlockOptions(MixerOptions(HEADS, reverse, chunk_size=chunk_size))
                for reverse in (False, True)
            )
            x, mask = ops.cast(x, dtype), ops.convert_to_tensor(MASK)
            # Less x, beside which a mistake would look small.
            outputs = (apply_block(x, mask, BlockParameters(*weights), o) - x for o in options)
            return [_without_masked(y) for y in outputs]

        return compute

    return _Case(function, arrays, [])


# By kernel: all that there are.
CASES = {
    "mlstm": _mlstm_case,
    "mixer": _mixer_case,
    "projection": _projection_case,
    "block": _block_case,
}


def _without_masked(x):
    """What masked steps put out carries no meaning."""
    mask = MASK.reshape(BATCH, STEPS, *[1] * (len(x.shape) - 2))
    return ops.where(ops.convert_to_tensor(mask), x, 0.0)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
    """Random float32 numbers that bfloat16 has too: its bits are the upper half of float32's."""
    x = rng.normal(scale=scale, size=shape).astype("float32")
    return (x.view("uint32") & np.uint32(0xFFFF0000)).view("float32")
