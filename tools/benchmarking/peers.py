"""Builds what is timed of other libraries' kernels: `mlstm_kernels` and attention in PyTorch.

They get the inputs of our op, in the layout and precision that they ask for.
"""

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import torch

from benchmarking.backends import Thunk, TorchBackend
from benchmarking.cases import SDPA, Case
from benchmarking.ours import op_inputs
from keras_axlstm import ops

# What the kernels are made for.
CHUNK_SIZES = {"chunkwise--triton_xl_chunk": 128, "chunkwise--triton_limit_chunk": 64}
# Heads are read in blocks of so many channels. Past the end of others a kernel of version 2.0.6
# writes into memory that is not its own.
HEAD_BLOCK = 64
# Above this a kernel computes something else: bfloat16, of the gates too, costs a few hundredths.
LARGEST_ERROR = 0.3
# Clips that are compared with our op: its quadratic form on all of them would fill the device.
COMPARED_CLIPS = 8
DTYPES = {"float32": torch.float32, "mixed_bfloat16": torch.bfloat16}


def build(case: Case, backend: TorchBackend) -> tuple[Thunk, dict[str, Any]]:
    """The run that is timed, and figures about it."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = DTYPES[case.dtype]
    arrays, cotangent = op_inputs(case.work)
    inputs = [torch.from_numpy(x).to(device) for x in arrays]
    weight = torch.from_numpy(cotangent).to(device, dtype).transpose(1, 2).contiguous()

    figures: dict[str, Any] = {}
    if case.source == SDPA:
        function: Callable = _attention
    else:
        function, figures = _mlstm(case, inputs, dtype)
    # (B, NH, S, DH) and (B, NH, S)
    inputs = [x.to(dtype).transpose(1, 2).contiguous() for x in inputs]

    def loss(*arguments: Any) -> Any:
        *inputs, weight = arguments
        return (function(*inputs) * weight).float().sum()

    if case.work.mode == "op":
        return backend.function(function, inputs, case.compiled), figures
    return backend.gradient(loss, inputs, [weight], case.compiled), figures


def _attention(query: Any, key: Any, value: Any, input_gate: Any, forget_gate: Any) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def _mlstm(case: Case, inputs: list, dtype: torch.dtype) -> tuple[Callable, dict[str, Any]]:
    """The kernel of the case for (B, NH, S, DH), and how far it is from our reference.

    For kernels in Triton heads are filled up with zeros to a multiple of `HEAD_BLOCK`, to a power
    of two for those that refuse that: what a user of the library would have to do. The output is
    the same.
    """
    if importlib.util.find_spec("mlstm_kernels") is None:
        raise ImportError("mlstm_kernels is not installed: pip install mlstm_kernels")
    head_dim = inputs[0].shape[-1]
    compared = [x[:COMPARED_CLIPS] for x in inputs]
    expected = ops.mlstm(*compared, form="parallel", implementation="ops").transpose(1, 2)
    heads_first = [x.to(dtype).transpose(1, 2).contiguous() for x in inputs]
    failures: list[Exception] = []
    for width in _widths(case.implementation, head_dim):
        function = functools.partial(_padded_kernel, _kernel(case.implementation, dtype), width)
        try:
            with torch.no_grad():
                h = function(*heads_first)[:COMPARED_CLIPS].float()
        except Exception as error:  # whatever a kernel raises on a shape that it does not take
            failures.append(error)
            continue
        relative_error = ((h - expected).norm() / expected.norm()).item()
        if not relative_error <= LARGEST_ERROR:
            failures.append(ValueError(f"relative error {relative_error:.1e} at head_dim {width}"))
            continue
        return function, {"relative_error": relative_error, "head_dim_computed": width}
    raise failures[-1]


def _widths(kernel: str, head_dim: int) -> list[int]:
    """Head dimensions that a kernel can be given, the cheapest first."""
    if "native" in kernel:
        return [head_dim]
    power = 1 << (head_dim - 1).bit_length()
    blocks = -(-head_dim // HEAD_BLOCK) * HEAD_BLOCK
    return sorted({min(blocks, power), power})


def _kernel(name: str, dtype: torch.dtype) -> Callable:
    from mlstm_kernels.torch import get_mlstm_kernel
    from mlstm_kernels.torch.kernel_wrappers import wrap_chunkwise__pad_zeros

    return functools.partial(
        wrap_chunkwise__pad_zeros,
        mlstm_chunkwise_kernel=get_mlstm_kernel(name),
        autocast_kernel_dtype=dtype,
        # A multiple of it is also what the kernels of the parallel form need.
        chunk_size=CHUNK_SIZES.get(name, HEAD_BLOCK),
    )


def _padded_kernel(
    kernel: Callable, width: int, query: Any, key: Any, value: Any, gate_i: Any, gate_f: Any
) -> Any:
    head_dim = query.shape[-1]
    if width > head_dim:
        # The kernel scales by the width that it sees.
        query = query * (width / head_dim) ** 0.5
        query, key, value = (
            torch.nn.functional.pad(x, (0, width - head_dim)) for x in (query, key, value)
        )
    return kernel(q=query, k=key, v=value, i=gate_i, f=gate_f)[..., :head_dim]
