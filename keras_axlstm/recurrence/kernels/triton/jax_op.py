"""The kernels as functions of JAX arrays, a forward and a backward pass."""

import jax
import jax.numpy as jnp

from keras_axlstm.recurrence.kernels.native.call import TILE, MLSTMCall
from keras_axlstm.recurrence.kernels.triton import launch_backward, launch_forward
from keras_axlstm.recurrence.kernels.triton.jax_backend import JAX
from keras_axlstm.recurrence.kernels.triton.problem import Problem, make_problem


def forward(call: MLSTMCall, return_state: bool, inputs, initial):
    """h and the last state or None, and h, l and a place for m, of which the kernels keep none.

    Args:
        call: chunk size and direction. Sizes are those of the inputs, which may be a part of it.
        return_state: whether there is a last state.
        inputs: query, key, value, log_i, log_f.
        initial: C, n, m or None.
    """
    # Sums of gates are float64 (gates.py), here and below; whatever else has a dtype of its own.
    with jax.enable_x64(True):
        problem = _problem(call, inputs, initial)
        h, signed_l, last = launch_forward.forward(problem, return_state)
        return (h, last), (h, signed_l, jnp.zeros_like(signed_l))


def backward(call: MLSTMCall, inputs, initial, results, gradients):
    """Gradients of inputs and initial state from those of h and the last state."""
    h, signed_l, _ = results
    with jax.enable_x64(True):
        problem = _problem(call, inputs, initial)
        *of_inputs, of_state = launch_backward.backward(problem, h, signed_l, *gradients)
        return tuple(of_inputs), of_state


def _problem(call: MLSTMCall, inputs, initial) -> Problem:
    return make_problem(JAX, inputs, initial, call.chunk * TILE, call.reverse)
