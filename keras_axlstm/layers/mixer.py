"""The middle of an AxLSTM block, between its two projections."""

import keras
from keras import ops

from keras_axlstm.layers.causal_convolution import convolve
from keras_axlstm.layers.mlstm import FoldedWeights, apply_mlstm, gate_preactivations
from keras_axlstm.layers.multi_head_norm import normalize_heads
from keras_axlstm.recurrence.kernels import MixerOptions, MixerParameters, choose, kernel_dtype


def mix(
    uz: keras.KerasTensor,
    mask: keras.KerasTensor | None,
    parameters: MixerParameters,
    options: MixerOptions,
) -> keras.KerasTensor:
    """From the up projection [u, z] to the input of the down projection, by a kernel if any.

    Args:
        uz: `(batch, time, 2 * channels)`.
        mask: boolean `(batch, time)`, True = real, or None.
        parameters: weights, float32.
        options: what is fixed when a block is built.

    Returns:
        `(batch, time, channels)`, in the dtype of `uz`.
    """
    no_kernel = []
    if parameters.query_kernel.shape[-1] != 4:
        no_kernel.append(f"block_size is {parameters.query_kernel.shape[-1]}, the kernels have 4")
    kernels = choose("mixer", "auto", uz, no_kernel)

    def compose(uz, mask, parameters):
        return _compose(uz, mask, parameters, options)

    if kernels is None:
        return compose(uz, mask, parameters)
    x = ops.cast(uz, kernel_dtype(uz))
    mask = None if mask is None else ops.cast(mask, "float32")
    return ops.cast(kernels.mixer(x, mask, parameters, options, compose), uz.dtype)


def mixer_gates(
    uz: keras.KerasTensor, parameters: MixerParameters, options: MixerOptions
) -> keras.KerasTensor:
    """Pre-activations of the gates that `mix` uses, to look at them.

    Args:
        uz: `(batch, time, 2 * channels)`.
        parameters: weights, float32.
        options: what is fixed when a block is built.

    Returns:
        Input gates, then forget gates, in the order in which the block reads the sequence:
        `(batch, time, 2 * num_heads)`, float32.
    """
    u, _, c, _ = _read(uz, None, parameters, options)
    return gate_preactivations(c, u, _folded(parameters))


def _compose(uz, mask, parameters: MixerParameters, options: MixerOptions):
    """The same as the kernels from `keras.ops`."""
    u, z, c, mask = _read(uz, mask, parameters, options)
    h = apply_mlstm(
        c,
        u,
        mask,
        _folded(parameters),
        options.heads,
        "sigmoid" if options.sigmoid_input_gate else "exp",
        "sigmoid" if options.sigmoid_forget_gate else "exp",
    )
    h = ops.cast(normalize_heads(h, parameters.norm_scale, options.heads, options.epsilon), c.dtype)
    outputs = (h + ops.cast(parameters.skip, c.dtype) * c) * ops.silu(z)
    return ops.flip(outputs, axis=1) if options.reverse else outputs


def _read(uz, mask, parameters: MixerParameters, options: MixerOptions):
    """u, z, c and the mask in the order in which the sequence is read."""
    if options.reverse:
        uz = ops.flip(uz, axis=1)
        mask = None if mask is None else ops.flip(mask, axis=1)
    u, z = ops.split(uz, 2, axis=-1)
    if mask is not None:
        # The convolution sees zeros before the first real step, as at the start of a clip.
        u = u * ops.expand_dims(ops.cast(mask, u.dtype), -1)
    convolution = (parameters.convolution_kernel, parameters.convolution_bias)
    c = ops.silu(convolve(u, *(ops.cast(x, u.dtype) for x in convolution)))
    return u, z, c, mask


def _folded(parameters: MixerParameters) -> FoldedWeights:
    return FoldedWeights(*parameters[2:7])
