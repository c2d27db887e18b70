"""The public op: validation, choice of form and implementation."""

from typing import Any

import keras
from keras import ops

from keras_axlstm.recurrence.choice import Form, choose_form
from keras_axlstm.recurrence.chunkwise import mlstm_chunkwise
from keras_axlstm.recurrence.gates import EMPTY, SHUT, log_gate
from keras_axlstm.recurrence.kernels import check_implementation, choose, kernel_dtype
from keras_axlstm.recurrence.parallel import mlstm_parallel
from keras_axlstm.recurrence.recurrent import mlstm_recurrent
from keras_axlstm.recurrence.reference import State, mlstm_reference

FORMS = ("auto", "reference", "recurrent", "parallel", "chunkwise")
INPUT_GATES = ("exp", "sigmoid")
FORGET_GATES = ("sigmoid", "exp")
# The forms that kernels compute.
BLOCKED_FORMS = ("parallel", "chunkwise")


def mlstm(
    query: keras.KerasTensor,
    key: keras.KerasTensor,
    value: keras.KerasTensor,
    input_gate: keras.KerasTensor,
    forget_gate: keras.KerasTensor,
    *,
    input_gate_activation: str = "exp",
    forget_gate_activation: str = "sigmoid",
    initial_state: State | None = None,
    return_state: bool = False,
    mask: keras.KerasTensor | None = None,
    form: str = "auto",
    chunk_size: int | None = None,
    implementation: str = "auto",
    output_dtype: str | None = None,
):
    """Matrix-memory LSTM (mLSTM) with exponential gating.

    Per batch element and head, with `s = head_dim ** -0.5`:

    ```
    C_t = f_t C_{t-1} + i_t v_t (s k_t)^T        h_t = C_t q_t / max(|n_t . q_t|, 1)
    n_t = f_t n_{t-1} + i_t s k_t
    ```

    computed stably: C and n are kept scaled by `exp(-m)`, m being the running maximum of the log
    weights, and the denominator is `max(|n.q|, exp(-m)) + 1e-6`. All forms give the same numbers
    and exact gradients, the normaliser's included; gates, states and sums are float32.

    Args:
        query: float tensor `(batch, time, heads, head_dim)`, as in
            `keras.ops.dot_product_attention`.
        key: like `query`. Scaled by `head_dim ** -0.5` inside.
        value: like `query`.
        input_gate: pre-activations `(batch, time, heads)`.
        forget_gate: pre-activations `(batch, time, heads)`.
        input_gate_activation: `"exp"` or `"sigmoid"`.
        forget_gate_activation: `"sigmoid"` or `"exp"`.
        initial_state: `(C, n, m)` as returned by an earlier call: `C`
            `(batch, heads, head_dim, head_dim)` (value x key), `n` `(batch, heads, head_dim)`,
            `m` `(batch, heads)`. `None` is the empty memory: C = n = 0, m = -inf.
        return_state: also return the state after the last step.
        mask: boolean `(batch, time)`, True = real. A masked step writes nothing and forgets
            nothing; its own output carries no meaning.
        form: `"auto"`, `"parallel"` (quadratic, short sequences), `"chunkwise"` (linear, long
            sequences), `"recurrent"` (scan over steps, streaming) or `"reference"` (plain loop).
        chunk_size: steps of a block in the parallel and chunkwise forms, `None` for a default.
        implementation: `"ops"` (`keras.ops`), `"fused"` (a kernel; NotImplementedError with the
            reasons if there is none) or `"auto"`.
        output_dtype: dtype of `h`, default that of `value`. Layers ask for float32, since h can
            be too small for float16.

    Returns:
        `h` `(batch, time, heads, head_dim)`, or `(h, (C, n, m))` with float32 states.

    Raises:
        ValueError: shapes that do not fit, or an unknown option.

    Source: Beck et al., "xLSTM: Extended Long Short-Term Memory", NeurIPS 2024.

    Example:

    ```python
    import numpy as np
    from keras_axlstm import ops

    query, key, value = np.random.normal(size=(3, 2, 100, 4, 16)).astype("float32")
    gates = np.random.normal(size=(2, 2, 100, 4)).astype("float32")
    h, state = ops.mlstm(query, key, value, gates[0], gates[1] + 4, return_state=True)
    ```
    """
    _check_option("input_gate_activation", input_gate_activation, INPUT_GATES)
    _check_option("forget_gate_activation", forget_gate_activation, FORGET_GATES)
    _check_option("form", form, FORMS)
    check_implementation(implementation)
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"`chunk_size` must be at least 1 or None. Received: {chunk_size}")
    query, key, value = (ops.convert_to_tensor(x) for x in (query, key, value))
    input_gate, forget_gate = ops.convert_to_tensor(input_gate), ops.convert_to_tensor(forget_gate)
    _check_shapes(query, key, value, input_gate, forget_gate, initial_state, mask)

    _, steps, heads, head_dim = query.shape
    no_kernel = [] if form in ("auto", *BLOCKED_FORMS) else [f"form={form!r} has none"]
    kernels = choose("mlstm", implementation, query, no_kernel)
    chosen = choose_form(steps, head_dim, form, chunk_size, kernel=kernels is not None)
    if steps is None and chosen.name != "chunkwise":
        raise ValueError(
            f"form={form!r} needs a static number of time steps; "
            "use form='auto' or 'chunkwise' where the time dimension is None."
        )
    output_dtype = output_dtype or value.dtype
    log_i, log_f = _log_gates(
        input_gate, forget_gate, input_gate_activation, forget_gate_activation, mask
    )
    state = None if initial_state is None else _float32_state(initial_state)

    def compute(inputs, state):
        return _compute(chosen, inputs, state, return_state)

    inputs = (query, key, value, log_i, log_f)
    if kernels is None:
        h, last = compute(inputs, state)
    else:
        dtype = kernel_dtype(query, key, value)
        h, last = kernels.mlstm(
            *(ops.cast(x, dtype) for x in (query, key, value)),
            log_i,
            log_f,
            state,
            chunk_size=chosen.chunk_size if chosen.name == "chunkwise" else None,
            return_state=return_state,
            otherwise=compute,
        )
    h = ops.cast(h, output_dtype)
    if not return_state:
        return h
    C, n, m = last
    return h, (C, n, ops.where(m > 0.5 * EMPTY, m, -float("inf")))


def _compute(form: Form, inputs, state: State | None, return_state: bool):
    """h (B, S, NH, DH) float32 and the last state or None, by `keras.ops`.

    Of the blocked forms only the inputs are kept for the backward pass, which computes the scores
    again: nothing of size S x S survives the forward pass.
    """

    def run(*tensors):
        h, last = _run_form(form, tensors[:5], tensors[5:] or None, return_state)
        return (h, *(last or ()))

    if form.name in BLOCKED_FORMS:
        run = keras.remat(run)
    h, *last = run(*inputs, *(state or ()))
    return h, tuple(last) or None


def _run_form(form: Form, inputs, state: State | None, return_state: bool):
    query, key, value, log_i, log_f = inputs
    query, key, value = (ops.swapaxes(x, 1, 2) for x in (query, key, value))
    start = _empty_state(query) if state is None else state
    last: State | None
    if form.name == "parallel":
        size = form.chunk_size
        h, last = mlstm_parallel(query, key, value, log_i, log_f, state, size, return_state)
    elif form.name == "chunkwise":
        h, last = mlstm_chunkwise(query, key, value, log_i, log_f, start, form.chunk_size)
    else:
        step_by_step = mlstm_recurrent if form.name == "recurrent" else mlstm_reference
        h, last = step_by_step(query, key, value, log_i, log_f, start)
    return ops.cast(ops.swapaxes(h, 1, 2), "float32"), last if return_state else None


def _empty_state(query) -> State:
    """The empty memory for a query (B, NH, S, DH), with a finite m."""
    batch, heads, _, head_dim = ops.shape(query)
    return (
        ops.zeros((batch, heads, head_dim, head_dim), dtype="float32"),
        ops.zeros((batch, heads, head_dim), dtype="float32"),
        ops.full((batch, heads), EMPTY, dtype="float32"),
    )


def _float32_state(state) -> State:
    """A given state in float32, with a finite m where it is empty."""
    C, n, m = (ops.cast(x, "float32") for x in state)
    return C, n, ops.maximum(m, EMPTY)


def _log_gates(input_gate, forget_gate, input_activation, forget_activation, mask):
    """Log gates (B, NH, S) float32; masked steps shut the input gate and open the forget gate."""
    log_i = ops.maximum(log_gate(input_gate, input_activation), SHUT)
    log_f = log_gate(forget_gate, forget_activation)
    if mask is not None:
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        log_i = ops.where(mask, log_i, SHUT)
        log_f = ops.where(mask, log_f, 0.0)
    return ops.swapaxes(log_i, 1, 2), ops.swapaxes(log_f, 1, 2)


def _check_option(name: str, received: str, allowed: tuple[str, ...]) -> None:
    if received not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}. Received: {received!r}")


def _check_shapes(query, key, value, input_gate, forget_gate, initial_state, mask) -> None:
    shape = tuple(query.shape)
    if len(shape) != 4:
        raise ValueError(
            f"`query` must have shape (batch, time, heads, head_dim). Received: shape {shape}"
        )
    if shape[1] == 0:
        raise ValueError(f"`query` must have at least one time step. Received: shape {shape}")
    expected: dict[str, tuple[Any, tuple]] = {"key": (key, shape), "value": (value, shape)}
    expected["input_gate"] = (input_gate, shape[:3])
    expected["forget_gate"] = (forget_gate, shape[:3])
    if mask is not None:
        expected["mask"] = (mask, shape[:2])
    if initial_state is not None:
        if len(initial_state) != 3:
            raise ValueError(
                "`initial_state` must be a tuple (C, n, m). "
                f"Received: {len(initial_state)} elements"
            )
        batch, _, heads, head_dim = shape
        state_shapes = ((batch, heads, head_dim, head_dim), (batch, heads, head_dim))
        for i, state_shape in enumerate((*state_shapes, (batch, heads))):
            expected[f"initial_state[{i}]"] = (initial_state[i], state_shape)
    for name, (tensor, wanted) in expected.items():
        received = tuple(tensor.shape)
        fits = len(received) == len(wanted) and all(
            a is None or b is None or a == b for a, b in zip(received, wanted, strict=True)
        )
        if not fits:
            raise ValueError(
                f"`{name}` must have shape {wanted} to fit `query` of shape {shape}. "
                f"Received: shape {received}"
            )
