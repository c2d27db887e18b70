"""The CPU kernels as citizens of PyTorch."""

import keras
import pytest

if keras.backend.backend() != "torch":
    pytest.skip("custom ops of PyTorch", allow_module_level=True)

import torch

from keras_axlstm import ops
from keras_axlstm.layers import AxLSTMBlock
from keras_axlstm.recurrence.kernels.native import torch_binding
from tests.support.kernels import skip_without
from tests.support.tolerances import SAME_FORMULA, relative_error


def op_inputs(steps=70):
    query, key, value = (torch.randn(2, steps, 2, 8, requires_grad=True) for _ in range(3))
    log_i, log_f = torch.randn(2, 2, steps), -torch.rand(2, 2, steps)
    return [query, key, value, log_i.requires_grad_(), log_f.requires_grad_()]


@pytest.mark.parametrize("chunk_size", (64, 70))
@pytest.mark.parametrize("stateful", (False, True))
def test_mlstm_passes_opcheck(chunk_size, stateful):
    state = [torch.randn(2, 2, 8, 8), torch.randn(2, 2, 8), torch.randn(2, 2)] if stateful else []
    arguments = (op_inputs(), state, chunk_size, False, stateful)
    torch.library.opcheck(torch_binding._mlstm, arguments)


def test_mixer_passes_opcheck():
    block = AxLSTMBlock(num_heads=2, expansion_factor=2)
    block.build((None, 5, 16))
    inputs = torch.randn(2, 5, 64, requires_grad=True)
    mask = torch.ones(2, 5)
    weights = [x.detach().requires_grad_() for x in block.mixer_parameters()]
    options = block._mixer_options(5).integers()
    epsilon = torch.tensor([1e-5])
    torch.library.opcheck(torch_binding._mixer, (inputs, mask, weights, epsilon, options, True))


@pytest.mark.parametrize("masked", (False, True))
def test_block_passes_opcheck(masked):
    skip_without("block")
    block = AxLSTMBlock(num_heads=2, expansion_factor=2)
    block.build((None, 5, 16))
    weights = [x.detach() for x in block._block_parameters()]
    mask = torch.ones(2, 5) if masked else None
    arguments = (torch.randn(2, 5, 16), mask, weights, torch.tensor([1e-5, 1e-5]))
    options = block._mixer_options(5).integers()
    torch.library.opcheck(torch_binding._block, (*arguments, options))


def test_projection_passes_opcheck():
    skip_without("projection")
    x, weights = torch.randn(70, 20, requires_grad=True), torch.randn(20, 33, requires_grad=True)
    torch.library.opcheck(torch_binding._projection, (x, weights))


def test_compiles_without_graph_breaks():
    query, key, value, *_ = op_inputs()
    gates = torch.randn(2, 2, 70, 2)
    arguments = (query, key, value, gates[0], gates[1] + 3)

    def function(*arguments):
        return ops.mlstm(*arguments, implementation="fused")

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    expected = torch.autograd.grad(function(*arguments).square().sum(), query)[0]
    gradient = torch.autograd.grad(compiled(*arguments).square().sum(), query)[0]
    assert relative_error(gradient, expected) <= SAME_FORMULA


def test_an_expanded_gradient():
    arguments = op_inputs()
    h, _ = torch_binding.mlstm(*arguments, None, None, False)
    expanded = torch.autograd.grad(h.sum(), arguments, retain_graph=True)
    contiguous = torch.autograd.grad(h, arguments, torch.ones_like(h).contiguous())
    for gradient, expected in zip(expanded, contiguous, strict=True):
        assert torch.equal(gradient, expected)
