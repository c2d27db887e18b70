"""The kernels as PyTorch ops, visible to autograd and `torch.compile`."""

import torch
from torch.library import custom_op

from keras_axlstm.recurrence.kernels.triton.launch_backward import backward
from keras_axlstm.recurrence.kernels.triton.launch_forward import forward
from keras_axlstm.recurrence.kernels.triton.problem import Problem, State, make_problem
from keras_axlstm.recurrence.kernels.triton.tiles import CHUNK_MULTIPLE
from keras_axlstm.recurrence.kernels.triton.torch_backend import TORCH

DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def mlstm_triton(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    log_i: torch.Tensor,
    log_f: torch.Tensor,
    state: State | None = None,
    *,
    chunk_size: int | None = None,
    reverse: bool = False,
    return_state: bool = False,
) -> tuple[torch.Tensor, State | None]:
    """The mLSTM recurrence of `keras_axlstm.ops.mlstm` in fused kernels, with exact gradients.

    Args:
        query: `(batch, time, heads, head_dim)` in float32, bfloat16 or float16; any strides, copied
            if the last dimension is not contiguous. Products of float32 are IEEE float32, those of
            float16 TF32.
        key: like `query`. Scaled by `head_dim ** -0.5` inside.
        value: like `query`.
        log_i: log input gates `(batch, heads, time)` float32, -1e30 where a step is masked.
        log_f: log forget gates likewise, 0 where a step is masked.
        state: `(C, n, m)` to start from, float32: `(batch, heads, head_dim, head_dim)` (value x
            key), `(batch, heads, head_dim)`, `(batch, heads)` with m = -1e15 for an empty memory.
            `None` is the empty memory.
        chunk_size: steps of a chunk, rounded up to a multiple of 64. `None` is one chunk: the
            parallel form.
        reverse: read time from the end. `h` stays in the order of the inputs; the returned
            state is the one after step 0.
        return_state: also return the state after the last step.

    Returns:
        `h` `(batch, time, heads, head_dim)` float32 and the state, or `None`.

    Raises:
        NotImplementedError: a dtype or head dimension that the kernels do not take.
    """
    if query.dtype not in DTYPES or not query.dtype == key.dtype == value.dtype:
        raise NotImplementedError(
            "the Triton kernels take query, key and value of one dtype out of "
            f"{', '.join(map(str, DTYPES))}. Received: {query.dtype}, {key.dtype}, {value.dtype}"
        )
    chunk_size = query.shape[1] if chunk_size is None else min(chunk_size, query.shape[1])
    chunk_size = -(-chunk_size // CHUNK_MULTIPLE) * CHUNK_MULTIPLE
    h, _, *last = mlstm_forward(
        query, key, value, log_i, log_f, *_three(state), chunk_size, reverse, return_state
    )
    return h, tuple(last) if return_state else None


@custom_op("keras_axlstm::mlstm_forward", mutates_args=())
def mlstm_forward(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    log_i: torch.Tensor,
    log_f: torch.Tensor,
    C: torch.Tensor | None,
    n: torch.Tensor | None,
    m: torch.Tensor | None,
    chunk_size: int,
    reverse: bool,
    return_state: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """h, the signed l (B, NH, S) in reading order, and the last C, n, m (empty if not asked)."""
    inputs = (query, key, value, log_i, log_f)
    problem = _problem(inputs, _state(C, n, m), chunk_size, reverse)
    with torch.cuda.device_of(query):
        h, signed_l, last = forward(problem, return_state)
    return h, signed_l, *(_nothing(h) if last is None else _contiguous(last))


@mlstm_forward.register_fake
def _(query, key, value, log_i, log_f, C, n, m, chunk_size, reverse, return_state):
    batch, steps, heads, head_dim = query.shape
    h = query.new_empty(query.shape, dtype=torch.float32)
    signed_l = h.new_empty((batch, heads, steps))
    if not return_state:
        return h, signed_l, *_nothing(h)
    shape = (batch, heads, head_dim)
    return h, signed_l, h.new_empty((*shape, head_dim)), h.new_empty(shape), h.new_empty(shape[:2])


@custom_op("keras_axlstm::mlstm_backward", mutates_args=())
def mlstm_backward(
    h_gradient: torch.Tensor,
    C_gradient: torch.Tensor | None,
    n_gradient: torch.Tensor | None,
    m_gradient: torch.Tensor | None,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    log_i: torch.Tensor,
    log_f: torch.Tensor,
    C: torch.Tensor | None,
    n: torch.Tensor | None,
    m: torch.Tensor | None,
    h: torch.Tensor,
    signed_l: torch.Tensor,
    chunk_size: int,
    reverse: bool,
) -> tuple[
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
]:
    """Gradients of query, key, value, log_i, log_f, C, n, m (the last three empty if not given)."""
    inputs = (query, key, value, log_i, log_f)
    problem = _problem(inputs, _state(C, n, m), chunk_size, reverse)
    last = _state(C_gradient, n_gradient, m_gradient)
    last = None if last is None else _contiguous(last)
    with torch.cuda.device_of(query):
        *of_inputs, of_state = backward(problem, h, signed_l, h_gradient.contiguous(), last)
    return *of_inputs, *(_nothing(h) if of_state is None else _contiguous(of_state))


@mlstm_backward.register_fake
def _(
    h_gradient,
    C_gradient,
    n_gradient,
    m_gradient,
    query,
    key,
    value,
    log_i,
    log_f,
    C,
    n,
    m,
    h,
    signed_l,
    chunk_size,
    reverse,
):
    sequences = (query.new_empty(query.shape) for _ in range(3))
    of_gates = (log_i.new_empty(log_i.shape) for _ in range(2))
    of_state = _nothing(h) if m is None else (h.new_empty(x.shape) for x in (C, n, m))
    return *sequences, *of_gates, *of_state


def _three(state: State | None) -> State | tuple[None, None, None]:
    return (None, None, None) if state is None else state


def _state(C: torch.Tensor | None, n: torch.Tensor | None, m: torch.Tensor | None) -> State | None:
    return None if C is None or n is None or m is None else (C, n, m)


def _problem(inputs, state: State | None, chunk_size: int, reverse: bool) -> Problem:
    """Brings the inputs into the layout that the kernels read."""
    *sequences, log_i, log_f = inputs
    sequences = [x if x.stride(-1) == 1 else x.contiguous() for x in sequences]
    # What is computed from gates has their strides on GPUs, and the kernels expect it to be dense.
    gates = (log_i.contiguous(), log_f.contiguous())
    state = None if state is None else _contiguous(state)
    return make_problem(TORCH, (*sequences, *gates), state, chunk_size, reverse)


def _contiguous(state: State) -> State:
    C, n, m = (x.contiguous() for x in state)
    return C, n, m


def _nothing(like: torch.Tensor) -> State:
    """Outputs that do not exist: a custom op has a fixed number of them."""
    return like.new_empty(0), like.new_empty(0), like.new_empty(0)


def _setup_context(ctx, inputs, output) -> None:
    *tensors, ctx.chunk_size, ctx.reverse, ctx.return_state = inputs
    h, signed_l = output[:2]
    ctx.save_for_backward(*tensors, h, signed_l)


def _backward(ctx, h_gradient, _, *state_gradient):
    saved = ctx.saved_tensors
    state_gradient = state_gradient if ctx.return_state else (None, None, None)
    gradients = mlstm_backward(h_gradient, *state_gradient, *saved, ctx.chunk_size, ctx.reverse)
    if saved[7] is None:
        gradients = (*gradients[:5], None, None, None)
    return *gradients, None, None, None


mlstm_forward.register_autograd(_backward, setup_context=_setup_context)
