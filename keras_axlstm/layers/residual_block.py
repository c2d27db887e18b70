"""A whole AxLSTM block as a function of its weights."""

from collections.abc import Callable

import keras
from keras import ops

from keras_axlstm.layers.mixer import mix
from keras_axlstm.layers.mlstm import fold_weights
from keras_axlstm.layers.multi_head_norm import normalize_heads
from keras_axlstm.layers.projection import project_by
from keras_axlstm.recurrence.choice import whole_block
from keras_axlstm.recurrence.kernels import (
    BlockOptions,
    BlockParameters,
    MixerParameters,
    choose_optional,
    kernels_wanted,
)


def apply_block(
    inputs: keras.KerasTensor,
    mask: keras.KerasTensor | None,
    parameters: BlockParameters,
    options: BlockOptions,
) -> keras.KerasTensor:
    """The block, by one kernel where that is faster and no gradients are wanted.

    Args:
        inputs: `(batch, time, width)`.
        mask: boolean `(batch, time)`, True = real, or None.
        parameters: weights.
        options: what is fixed when a block is built.

    Returns:
        Like `inputs`.
    """

    def compose(inputs, mask, parameters):
        projections = (
            lambda x, weights=weights: project_by(weights, x)
            for weights in (parameters.up_kernel, parameters.down_kernel)
        )
        return compose_block(inputs, mask, parameters, options, *projections)

    if not (kernels_wanted() and _has_kernel(inputs, parameters)):
        return compose(inputs, mask, parameters)
    kernels = choose_optional("block", inputs)
    if kernels is None:
        return compose(inputs, mask, parameters)
    mask = None if mask is None else ops.cast(mask, "float32")
    return kernels.block(inputs, mask, parameters, options, compose)


def compose_block(
    inputs: keras.KerasTensor,
    mask: keras.KerasTensor | None,
    parameters: BlockParameters,
    options: BlockOptions,
    project_up: Callable,
    project_down: Callable,
) -> keras.KerasTensor:
    """The block from its parts, with projections of the caller's instead of `parameters`'."""
    # Not the layer of the norm: in eager PyTorch its call costs more than the norm.
    normalized = normalize_heads(inputs, parameters.norm_scale, 1, options.norm_epsilon)
    uz = project_up(ops.cast(normalized, inputs.dtype))
    mixed = mix(uz, mask, mixer_parameters(parameters), options.mixer)
    return inputs + project_down(mixed)


def mixer_parameters(parameters: BlockParameters) -> MixerParameters:
    """The weights between the two projections as the kernels use them, float32."""
    folded = fold_weights(
        [parameters.query_kernel, parameters.key_kernel, parameters.value_kernel],
        [parameters.input_gate_kernel, parameters.forget_gate_kernel],
        [parameters.input_gate_bias, parameters.forget_gate_bias],
    )
    return MixerParameters(
        convolution_kernel=ops.cast(parameters.convolution_kernel, "float32"),
        convolution_bias=ops.cast(parameters.convolution_bias, "float32"),
        norm_scale=ops.cast(parameters.head_norm_scale, "float32"),
        skip=ops.cast(parameters.skip, "float32"),
        **folded._asdict(),
    )


def _has_kernel(inputs, parameters: BlockParameters) -> bool:
    """Whether the kernel takes such arrays, and faster than its parts."""
    batch, steps, _ = inputs.shape
    tensors = (inputs, parameters.up_kernel)
    return (
        steps is not None
        and all(keras.backend.standardize_dtype(x.dtype) == "float32" for x in tensors)
        and parameters.query_kernel.shape[-1] == 4
        and whole_block(batch, steps, parameters.skip.shape[0])
    )
