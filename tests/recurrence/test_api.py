"""Options and errors of the op."""

import numpy as np
import pytest

from keras_axlstm.ops import mlstm
from keras_axlstm.recurrence.choice import choose_form
from keras_axlstm.recurrence.kernels.native import build
from tests.recurrence.test_forms import random_arguments


@pytest.mark.parametrize(
    ("option", "value"),
    (
        ("form", "linear"),
        ("implementation", "cuda"),
        ("input_gate_activation", "tanh"),
        ("forget_gate_activation", "relu"),
    ),
)
def test_unknown_option_lists_the_known_ones(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be one of .* Received: '{value}'"):
        mlstm(*random_arguments(5), **{option: value})


def test_chunk_size_must_be_positive():
    with pytest.raises(ValueError, match="`chunk_size` must be at least 1.*Received: 0"):
        mlstm(*random_arguments(5), chunk_size=0)


@pytest.mark.parametrize("index", range(1, 5))
def test_argument_of_wrong_shape_is_named(index):
    arguments = random_arguments(5)
    arguments[index] = arguments[index][:, :4]
    name = ("query", "key", "value", "input_gate", "forget_gate")[index]
    with pytest.raises(ValueError, match=f"`{name}` must have shape .* Received: shape"):
        mlstm(*arguments)


def test_query_of_wrong_rank():
    arguments = random_arguments(5)
    with pytest.raises(ValueError, match=r"\(batch, time, heads, head_dim\)"):
        mlstm(arguments[0][0], *arguments[1:])


def test_no_time_steps():
    with pytest.raises(ValueError, match="at least one time step"):
        mlstm(*(x[:, :0] for x in random_arguments(5)))


def test_mask_and_state_of_wrong_shape():
    arguments = random_arguments(5)
    with pytest.raises(ValueError, match="`mask` must have shape"):
        mlstm(*arguments, mask=np.ones((2, 4), bool))
    with pytest.raises(ValueError, match=r"tuple \(C, n, m\)"):
        mlstm(*arguments, initial_state=(np.zeros((2, 2, 8, 8)),))
    _, (C, n, m) = mlstm(*arguments, return_state=True)
    with pytest.raises(ValueError, match=r"`initial_state\[1\]` must have shape"):
        mlstm(*arguments, initial_state=(C, C, m))


def test_fused_says_every_reason_why_it_cannot(monkeypatch):
    monkeypatch.setattr(build, "unavailable", lambda backend: ["no C++ compiler found"])
    with pytest.raises(NotImplementedError) as error:
        mlstm(*random_arguments(5), form="recurrent", implementation="fused")
    assert "form='recurrent' has none" in str(error.value)
    assert "no C++ compiler found" in str(error.value)


def test_auto_form_is_quadratic_for_short_and_linear_for_long_sequences():
    assert [choose_form(s, 144).name for s in (126, 251)] == ["parallel"] * 2
    assert choose_form(8001, 144).name == "chunkwise"
    assert choose_form(None, 144).name == "chunkwise"
