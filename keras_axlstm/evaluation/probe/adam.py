"""Adam without weight decay, for models with learning rates of their own."""

from typing import Any

from keras import ops

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def adam(
    state: dict[str, dict[str, Any]],
    gradients: dict[str, Any],
    step_size: Any,
    second_correction: Any,
) -> dict[str, dict[str, Any]]:
    """New `weights`, `moments` and `squares`; the arguments are those of `train_step`."""
    new: dict[str, dict[str, Any]] = {"weights": {}, "moments": {}, "squares": {}}
    for name, gradient in gradients.items():
        moment = BETA_1 * state["moments"][name] + (1.0 - BETA_1) * gradient
        square = BETA_2 * state["squares"][name] + (1.0 - BETA_2) * gradient * gradient
        change = step_size * moment / (ops.sqrt(square / second_correction) + EPSILON)
        new["weights"][name] = state["weights"][name] - change
        new["moments"][name], new["squares"][name] = moment, square
    return new


def corrections(step: int) -> tuple[float, float]:
    """Of the two moments at a step, counted from 1, for their start at zero."""
    return 1.0 - BETA_1**step, 1.0 - BETA_2**step
