"""The Triton kernels: values, states and all gradients, on a GPU or in Triton's interpreter.

Without a GPU: `TRITON_INTERPRET=1 KERAS_BACKEND=torch pytest tests/recurrence/kernels`.
"""

import importlib.util
import os

import keras
import numpy as np
import pytest

from tests.recurrence.test_golden import ARGUMENTS, CASES, case, tolerance
from tests.support import tolerances

if keras.backend.backend() != "torch":
    pytest.skip("the Triton kernels belong to the torch backend", allow_module_level=True)
if importlib.util.find_spec("triton") is None:
    pytest.skip("Triton is not installed: its kernels are NOT tested", allow_module_level=True)

import torch

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not torch.cuda.is_available() and not INTERPRETED:
    reason = "no GPU and TRITON_INTERPRET=1 is not set: the Triton kernels are NOT tested"
    pytest.skip(reason, allow_module_level=True)

from keras_axlstm.recurrence.kernels.triton import availability  # noqa: E402
from keras_axlstm.recurrence.kernels.triton.availability import unavailable  # noqa: E402
from keras_axlstm.recurrence.kernels.triton.op import (  # noqa: E402
    _problem,
    mlstm_forward,
    mlstm_triton,
)
from tests.recurrence.kernels import torch_oracle  # noqa: E402

DEVICE = "cpu" if INTERPRETED else "cuda"
SHUT = -1e30
NAMES = ("query", "key", "value", "log_i", "log_f", "C", "n", "m")


def problem(
    steps, head_dim, heads=1, batch=1, dtype=torch.float32, shift=0.0, state=False, mask=None
):
    """Arguments of `mlstm_triton` as leaves; `shift` is added to the log input gates."""
    generator = torch.Generator().manual_seed(steps + head_dim)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    arguments = [normal(batch, steps, heads, head_dim).to(dtype) for _ in range(3)]
    log_i = normal(batch, heads, steps) + shift
    log_f = torch.nn.functional.logsigmoid(normal(batch, heads, steps) + 3)
    if mask is not None:
        log_i = torch.where(mask, log_i, SHUT)
        log_f = torch.where(mask, log_f, 0.0)
    arguments += [log_i, log_f]
    if state:
        arguments += [normal(batch, heads, head_dim, head_dim), normal(batch, heads, head_dim)]
        arguments += [normal(batch, heads)]
    return [x.to(DEVICE).requires_grad_() for x in arguments]


def pull_back(function, arguments):
    """Outputs of `function` and gradients of their sum, weighted by fixed random numbers."""
    outputs = function(*arguments)
    generator = torch.Generator().manual_seed(0)
    loss = sum(
        (x * torch.randn(x.shape, generator=generator).to(x.device, x.dtype)).sum() for x in outputs
    )
    return outputs, torch.autograd.grad(loss, arguments)


def fused(chunk_size=None, reverse=False, return_state=False):
    def run(*arguments):
        options = {"chunk_size": chunk_size, "reverse": reverse, "return_state": return_state}
        state = arguments[5:] or None
        h, last = mlstm_triton(*arguments[:5], state, **options)
        return (h, *last) if return_state else (h,)

    return run


def oracle(reverse=False, return_state=False):
    def run(*arguments):
        h, last, _ = torch_oracle.mlstm(*arguments[:5], arguments[5:] or None, reverse)
        return (h, *last) if return_state else (h,)

    return run


def error(actual, expected) -> float:
    return tolerances.relative_error(actual.detach().cpu().float(), expected.detach().cpu())


def check(arguments, chunk_size=None, reverse=False, return_state=False, bound=None):
    bound = bound or tolerances.FUSED
    outputs, gradients = pull_back(fused(chunk_size, reverse, return_state), arguments)
    exact = [x.detach().double().requires_grad_() for x in arguments]
    expected, expected_gradients = pull_back(oracle(reverse, return_state), exact)
    assert outputs[0].dtype == torch.float32
    for name, x, y in zip(("h", "C", "n", "m"), outputs, expected, strict=False):
        assert error(x, y) <= bound, name
    for name, x, y in zip(NAMES, gradients, expected_gradients, strict=False):
        assert error(x, y) <= bound, f"gradient of {name}"


@pytest.mark.parametrize("chunk_size", [None, 64])
@pytest.mark.parametrize("name", CASES)
def test_golden(name, chunk_size):
    golden = case(name)
    tensors = [torch.tensor(golden[key], dtype=torch.float32, device=DEVICE) for key in ARGUMENTS]
    tensors = [x.requires_grad_() for x in tensors]
    query, key, value, log_i, f = tensors
    log_f = torch.nn.functional.logsigmoid(f)
    h, last = mlstm_triton(
        query, key, value, log_i.mT, log_f.mT, chunk_size=chunk_size, return_state=True
    )
    cotangent = torch.tensor(golden["g"], dtype=torch.float32, device=DEVICE)
    gradients = torch.autograd.grad(h, tensors, cotangent)

    usual = tolerance(name, tolerances.GOLDEN_OUTPUT)
    outputs = zip(("h", "C_last", "n_last", "m_last"), (h, *last), strict=True)
    for key, array in outputs:
        assert error(array, torch.tensor(golden[key])) <= usual, key
    for key, gradient in zip(ARGUMENTS, gradients, strict=True):
        bound = tolerance(name, tolerances.GOLDEN_GRADIENT)
        assert error(gradient, torch.tensor(golden[f"d{key}"])) <= bound, key


@pytest.mark.parametrize("reverse", [False, True])
def test_gates_are_dense(reverse):
    """The kernels take that for granted, and sums on CUDA devices keep the strides of a view."""
    *sequences, log_i, log_f = problem(70, 8, heads=2, batch=2)
    views = [x.mT.contiguous().mT for x in (log_i, log_f)]
    made = _problem([*sequences, *views], None, 128, reverse)
    for gate, view in zip((made.log_i, made.log_f), views, strict=True):
        assert gate.is_contiguous()
        assert torch.equal(gate, view.flip(-1) if reverse else view)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("head_dim", [8, 16, 144])
@pytest.mark.parametrize("steps", [1, 63, 64, 251])
def test_one_chunk(steps, head_dim, reverse):
    # A single step has h = v but for the 1e-6 where |n.q| is the denominator, and gradients of
    # query and gates that are all cancellation: it is tested on the other side of the normaliser.
    shift = -5.0 if steps == 1 else 0.0
    arguments = problem(steps, head_dim, heads=1 if head_dim == 144 else 2, shift=shift)
    check(arguments, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("steps", "head_dim"), [(65, 8), (251, 16), (130, 144)])
def test_chunks_and_states(steps, head_dim, reverse):
    arguments = problem(steps, head_dim, state=True)
    check(arguments, chunk_size=64, reverse=reverse, return_state=True)


@pytest.mark.parametrize("chunk_size", [None, 64])
@pytest.mark.parametrize("head_dim", [20, 288, 576])
def test_head_dims(head_dim, chunk_size):
    check(problem(70, head_dim, state=chunk_size is not None), chunk_size)


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("head_dim", [8, 16, 40, 144])
def test_low_precision(head_dim, dtype, capability, monkeypatch):
    if not torch.cuda.is_available():
        monkeypatch.setattr(availability, "INTERPRETED_CAPABILITY", capability)
    arguments = problem(100, head_dim, dtype=getattr(torch, dtype), state=True)
    check(arguments, 64, return_state=True, bound=tolerances.LOW_PRECISION[dtype])


def test_bfloat16_one_chunk():
    arguments = problem(251, 144, dtype=torch.bfloat16)
    check(arguments, bound=tolerances.LOW_PRECISION["bfloat16"])


@pytest.mark.parametrize("chunk_size", [None, 64])
@pytest.mark.parametrize("reverse", [False, True])
def test_mask(reverse, chunk_size):
    """Padding at both ends and a whole chunk in between."""
    mask = torch.ones(2, 1, 220, dtype=torch.bool)
    mask[0, :, :70] = False
    mask[1, :, 200:] = False
    mask[1, :, 60:140] = False
    arguments = problem(220, 8, batch=2, heads=2, mask=mask)
    check(arguments, chunk_size, reverse, return_state=True)


@pytest.mark.parametrize(("shift", "active"), [(6.0, True), (-15.0, False)])
@pytest.mark.parametrize("chunk_size", [None, 64])
def test_both_sides_of_the_normalizer(shift, active, chunk_size):
    arguments = problem(130, 16, shift=shift)
    *_, from_sum = torch_oracle.mlstm(*arguments)
    assert torch.mean((from_sum == active).double()) > 0.9
    check(arguments, chunk_size, return_state=True)


@pytest.mark.parametrize("initial", [-50.0, 50.0])
def test_gradient_through_the_stabilizer(initial):
    """The last m is that of a step, or the decayed initial one.

    Of the states alone: where the initial memory outweighs all steps, h does not depend on decays,
    and their gradients through h are nothing but rounding.
    """
    arguments = problem(70, 8, heads=2, state=True)
    with torch.no_grad():
        arguments[7] += initial
    state_inputs = arguments[1:]

    def states_of(function):
        return lambda *xs: function(arguments[0].detach(), *xs)[1:]

    _, gradients = pull_back(states_of(fused(None, False, True)), state_inputs)
    exact = [x.detach().double().requires_grad_() for x in state_inputs]
    _, expected = pull_back(states_of(oracle(False, True)), exact)
    for name, x, y in zip(NAMES[1:], gradients, expected, strict=True):
        assert error(x, y) <= tolerances.FUSED, name


@pytest.mark.parametrize("chunk_size", [None, 64])
def test_extreme_gates(chunk_size):
    """One step outweighs all others: its gate's gradient is a difference of equal numbers."""
    arguments = problem(150, 8, heads=2)
    with torch.no_grad():
        arguments[3] *= 100
        arguments[4] = torch.nn.functional.logsigmoid(100 * torch.randn(1, 2, 150)).to(DEVICE)
    arguments = [x.detach().requires_grad_() for x in arguments]
    check(arguments, chunk_size, bound=tolerances.GOLDEN_EXTREME)


@pytest.mark.parametrize("chunk_size", [None, 64])
def test_growing_memory(chunk_size):
    """Exponential forget gates above 1, so that decays grow instead of shrinking."""
    arguments = problem(150, 8, heads=2)
    with torch.no_grad():
        arguments[4] += 1.0
    check(arguments, chunk_size)


@pytest.mark.parametrize("reverse", [False, True])
def test_two_calls_equal_one(reverse):
    arguments = problem(150, 16, heads=2)

    def in_two(*arguments):
        cut = 150 - 83 if reverse else 83
        parts = [[x[:, :cut] for x in arguments[:3]], [x[:, cut:] for x in arguments[:3]]]
        parts[0] += [x[..., :cut] for x in arguments[3:]]
        parts[1] += [x[..., cut:] for x in arguments[3:]]
        order = (1, 0) if reverse else (0, 1)
        h, state = [None, None], None
        for part in order:
            options = {"chunk_size": 64, "reverse": reverse, "return_state": True}
            h[part], state = mlstm_triton(*parts[part], state, **options)
        return (torch.cat(h, 1), *state)

    whole, gradients = pull_back(fused(None, reverse, True), arguments)
    parts, part_gradients = pull_back(in_two, arguments)
    for x, y in zip((*whole, *gradients), (*parts, *part_gradients), strict=True):
        assert error(x, y) <= tolerances.SAME_FORMULA


def test_strides_and_expanded_gradient():
    arguments = problem(70, 16, heads=2)
    (expected,) = fused()(*arguments)
    expected_gradients = torch.autograd.grad(expected.sum(), arguments)

    query, key, value, *gates = arguments
    heads_first = query.detach().transpose(1, 2).contiguous().transpose(1, 2)
    packed = torch.stack([key, value], -1).detach()  # last dimension not contiguous
    strided = [heads_first, packed[..., 0], packed[..., 1], *(x.detach() for x in gates)]
    strided = [x.requires_grad_() for x in strided]
    h, _ = mlstm_triton(*strided)
    ones = torch.ones((), device=DEVICE).expand(h.shape)
    gradients = torch.autograd.grad(h, strided, ones)
    for x, y in zip((h, *gradients), (expected, *expected_gradients), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0)


@pytest.mark.parametrize("state", [False, True])
def test_opcheck(state):
    arguments = problem(70, 8, heads=2, state=state)
    options = (64, True, state)
    inputs = (*arguments, *([None] * (8 - len(arguments))), *options)
    torch.library.opcheck(mlstm_forward, inputs)


def test_compiles_in_one_graph():
    arguments = problem(70, 8, heads=2, state=True)
    compiled = torch.compile(fused(64, True, True), fullgraph=True, backend="aot_eager")
    expected, expected_gradients = pull_back(fused(64, True, True), arguments)
    outputs, gradients = pull_back(compiled, arguments)
    for x, y in zip((*outputs, *gradients), (*expected, *expected_gradients), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0)


def test_refuses_what_it_cannot_do():
    with pytest.raises(NotImplementedError, match="head dimensions up to 576 .* Received: 600"):
        mlstm_triton(*problem(2, 600))
    with pytest.raises(NotImplementedError, match="float64"):
        mlstm_triton(*problem(2, 8, dtype=torch.float64))


def test_available():
    assert unavailable(DEVICE) == []


def test_says_why_it_is_unavailable(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert any("cpu" in reason for reason in unavailable("cpu"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert unavailable("cuda") == ["Triton is not installed (`pip install triton`)"]


def test_masked_output_is_finite():
    """Nothing has been written yet: h is 0, not NaN."""
    mask = torch.zeros(1, 1, 70, dtype=torch.bool)
    h, _ = mlstm_triton(*problem(70, 8, mask=mask))
    np.testing.assert_array_equal(h.detach().cpu().numpy(), 0.0)
