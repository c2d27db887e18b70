"""The kernels as custom ops of PyTorch, with autograd."""

import ctypes
import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from keras_axlstm.recurrence.kernels.native.block_call import (
    BlockOptions,
    BlockParameters,
    block_call,
)
from keras_axlstm.recurrence.kernels.native.build import library
from keras_axlstm.recurrence.kernels.native.call import (
    MixerOptions,
    MixerParameters,
    mixer_call,
    mlstm_call,
    projection_call,
)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@functools.cache
def _load() -> ctypes.CDLL:
    kernels = ctypes.CDLL(str(library("torch")))
    # Among the symbols that PyTorch has made visible to all.
    process = ctypes.CDLL(None)
    try:
        openmp = [process.GOMP_parallel, process.omp_get_max_threads]
    except AttributeError:
        return kernels
    kernels.axlstm_use_openmp(*(ctypes.cast(function, ctypes.c_void_p) for function in openmp))
    return kernels


def run(kernel, sizes, inputs, outputs):
    """Call a kernel on CPU tensors."""
    inputs = [None if x is None else x.contiguous() for x in inputs]
    results = [None if s is None else torch.empty(s[0], dtype=DTYPES[s[1]]) for s in outputs]
    status = getattr(_load(), f"axlstm_{kernel}")(
        (ctypes.c_int64 * len(sizes))(*sizes), _addresses(inputs), _addresses(results)
    )
    if status:
        raise MemoryError(f"{kernel}: out of memory or threads")
    return results


def _addresses(tensors):
    pointers = [None if x is None else x.data_ptr() for x in tensors]
    return (ctypes.c_void_p * len(pointers))(*pointers)


def _fake_run(kernel, sizes, inputs, outputs):
    """What `run` returns, without computing it."""
    device = inputs[0].device
    return [
        None if spec is None else torch.empty(spec[0], dtype=DTYPES[spec[1]], device=device)
        for spec in outputs
    ]


def _present(tensors):
    """Ops cannot return None: an empty tensor stands for it."""
    return tuple(torch.empty(0) if x is None else x for x in tensors)


# Op `mlstm` ---------------------------------------------------------------------------------------


def _mlstm_forward(run, inputs, initial, chunk_size, reverse, return_state):
    call = mlstm_call(inputs[0], chunk_size, reverse)
    return _present(call.forward(run, inputs, initial or None, return_state))


@torch.library.custom_op("keras_axlstm::mlstm_cpu", mutates_args=(), device_types="cpu")
def _mlstm(
    inputs: Sequence[Tensor],
    initial: Sequence[Tensor],
    chunk_size: int,
    reverse: bool,
    return_state: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    return _mlstm_forward(run, inputs, initial, chunk_size, reverse, return_state)


@_mlstm.register_fake
def _(inputs, initial, chunk_size, reverse, return_state):
    return _mlstm_forward(_fake_run, inputs, initial, chunk_size, reverse, return_state)


def _mlstm_gradients(run, inputs, initial, results, dh, dlast, chunk_size, reverse):
    call = mlstm_call(inputs[0], chunk_size, reverse)
    gradients = call.backward(run, inputs, initial or None, results, dh, dlast or None)
    return [x for x in gradients if x is not None]


@torch.library.custom_op("keras_axlstm::mlstm_cpu_backward", mutates_args=(), device_types="cpu")
def _mlstm_backward(
    inputs: Sequence[Tensor],
    initial: Sequence[Tensor],
    results: Sequence[Tensor],
    dh: Tensor,
    dlast: Sequence[Tensor],
    chunk_size: int,
    reverse: bool,
) -> list[Tensor]:
    return _mlstm_gradients(run, inputs, initial, results, dh, dlast, chunk_size, reverse)


@_mlstm_backward.register_fake
def _(inputs, initial, results, dh, dlast, chunk_size, reverse):
    return _mlstm_gradients(_fake_run, inputs, initial, results, dh, dlast, chunk_size, reverse)


def _save_mlstm(ctx, inputs, output):
    arguments, initial, ctx.chunk_size, ctx.reverse, ctx.return_state = inputs
    ctx.save_for_backward(*arguments, *initial, *output[:3])


def _differentiate_mlstm(ctx, dh, dl, dm, *dlast):
    *saved, h, l, m = ctx.saved_tensors  # noqa: E741
    gradients = _mlstm_backward(
        saved[:5],
        saved[5:],
        [h, l, m],
        dh,
        list(dlast) if ctx.return_state else [],
        ctx.chunk_size,
        ctx.reverse,
    )
    return gradients[:5], gradients[5:], None, None, None


_mlstm.register_autograd(_differentiate_mlstm, setup_context=_save_mlstm)


def mlstm(query, key, value, log_i, log_f, state, chunk_size, return_state, reverse=False):
    """h (B, S, NH, DH) float32 and the last state or None, as `kernels.MLSTMKernel` says."""
    inputs = [query, key, value, log_i, log_f]
    chunk_size = chunk_size or query.shape[1]
    h, _, _, *last = _mlstm(inputs, list(state or ()), chunk_size, reverse, return_state)
    return h, tuple(last) if return_state else None


# Middle of a block --------------------------------------------------------------------------------


def _mixer_forward(run, inputs, mask, parameters, epsilon, options, save):
    call = mixer_call(inputs, MixerParameters(*parameters), MixerOptions.of(options))
    return _present(call.forward(run, inputs, mask, parameters, epsilon, save))


@torch.library.custom_op("keras_axlstm::mixer_cpu", mutates_args=(), device_types="cpu")
def _mixer(
    inputs: Tensor,
    mask: Tensor | None,
    parameters: Sequence[Tensor],
    epsilon: Tensor,
    options: Sequence[int],
    save: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return _mixer_forward(run, inputs, mask, parameters, epsilon, options, save)


@_mixer.register_fake
def _(inputs, mask, parameters, epsilon, options, save):
    return _mixer_forward(_fake_run, inputs, mask, parameters, epsilon, options, save)


def _mixer_gradients(run, inputs, mask, parameters, epsilon, saved, dy, options):
    call = mixer_call(inputs, MixerParameters(*parameters), MixerOptions.of(options))
    return call.backward(run, inputs, mask, parameters, epsilon, saved, dy)


@torch.library.custom_op("keras_axlstm::mixer_cpu_backward", mutates_args=(), device_types="cpu")
def _mixer_backward(
    inputs: Tensor,
    mask: Tensor | None,
    parameters: Sequence[Tensor],
    epsilon: Tensor,
    saved: Sequence[Tensor],
    dy: Tensor,
    options: Sequence[int],
) -> list[Tensor]:
    return _mixer_gradients(run, inputs, mask, parameters, epsilon, saved, dy, options)


@_mixer_backward.register_fake
def _(inputs, mask, parameters, epsilon, saved, dy, options):
    return _mixer_gradients(_fake_run, inputs, mask, parameters, epsilon, saved, dy, options)


def _save_mixer(ctx, inputs, output):
    x, mask, parameters, epsilon, ctx.options, _ = inputs
    ctx.save_for_backward(x, mask, epsilon, *output[1:], *parameters)


def _differentiate_mixer(ctx, dy, *unused):
    x, mask, epsilon, gates, h, l, m, *parameters = ctx.saved_tensors  # noqa: E741
    saved = [gates, h, l, m]
    dx, *dparameters = _mixer_backward(x, mask, parameters, epsilon, saved, dy, ctx.options)
    return dx, None, dparameters, None, None, None


_mixer.register_autograd(_differentiate_mixer, setup_context=_save_mixer)


def mixer(inputs, mask, parameters, options: MixerOptions):
    """y (B, S, channels), as `kernels.MixerKernel` says."""
    epsilon = torch.tensor([options.epsilon], dtype=torch.float32)
    save = torch.is_grad_enabled() and any(x.requires_grad for x in (inputs, *parameters))
    y, *_ = _mixer(inputs, mask, list(parameters), epsilon, options.integers(), save)
    return y


# Projections --------------------------------------------------------------------------------------


@torch.library.custom_op("keras_axlstm::projection_cpu", mutates_args=(), device_types="cpu")
def _projection(x: Tensor, kernel: Tensor) -> Tensor:
    return projection_call(x, kernel).forward(run, x, kernel)


@_projection.register_fake
def _(x, kernel):
    return projection_call(x, kernel).forward(_fake_run, x, kernel)


@torch.library.custom_op(
    "keras_axlstm::projection_cpu_backward", mutates_args=(), device_types="cpu"
)
def _projection_backward(x: Tensor, kernel: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    return projection_call(x, kernel).backward(run, x, kernel, dy)


@_projection_backward.register_fake
def _(x, kernel, dy):
    return projection_call(x, kernel).backward(_fake_run, x, kernel, dy)


def _save_projection(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


def _differentiate_projection(ctx, dy):
    return _projection_backward(*ctx.saved_tensors, dy)


_projection.register_autograd(_differentiate_projection, setup_context=_save_projection)


def projection(x, kernel):
    """x kernel, (rows, outputs)."""
    return _projection(x, kernel)


# Whole block, without autograd --------------------------------------------------------------------


def _block_forward(run, inputs, mask, parameters, epsilons, options):
    call = block_call(inputs, BlockParameters(*parameters), BlockOptions(MixerOptions.of(options)))
    return call.forward(run, inputs, mask, parameters, epsilons)


@torch.library.custom_op("keras_axlstm::block_cpu", mutates_args=(), device_types="cpu")
def _block(
    inputs: Tensor,
    mask: Tensor | None,
    parameters: Sequence[Tensor],
    epsilons: Tensor,
    options: Sequence[int],
) -> Tensor:
    return _block_forward(run, inputs, mask, parameters, epsilons, options)


@_block.register_fake
def _(inputs, mask, parameters, epsilons, options):
    return _block_forward(_fake_run, inputs, mask, parameters, epsilons, options)


def block(inputs, mask, parameters, options: BlockOptions):
    """(B, S, width)."""
    epsilons = torch.tensor(options.epsilons(), dtype=torch.float32)
    return _block(inputs, mask, list(parameters), epsilons, options.mixer.integers())
