import functools

import keras
from keras import ops

from keras_axlstm.layers.causal_convolution import CausalConvolution
from keras_axlstm.layers.mixer import mixer_gates
from keras_axlstm.layers.mlstm import MLSTM
from keras_axlstm.layers.multi_head_norm import MultiHeadNorm
from keras_axlstm.layers.projection import project
from keras_axlstm.layers.residual_block import apply_block, compose_block, mixer_parameters
from keras_axlstm.recurrence.choice import choose_form
from keras_axlstm.recurrence.kernels import (
    BlockOptions,
    BlockParameters,
    MixerOptions,
)


@keras.saving.register_keras_serializable(package="keras_axlstm")
class AxLSTMBlock(keras.layers.Layer):
    """Residual mLSTM block of AxLSTM.

    ```
    u, z = split(up(norm(x)))        c = silu(conv(u))
    x + down((mlstm(c, u) + skip * c) * silu(z))
    ```

    Args:
        num_heads: int. Heads of the mLSTM.
        expansion_factor: int. Channels inside the block over channels outside.
        reverse: bool. Read the sequence from its end ("flip").
        input_gate: `"exp"` or `"sigmoid"`.
        forget_gate: `"sigmoid"` or `"exp"`.

    Call arguments:
        inputs: `(batch, time, channels)`.
        mask: optional boolean `(batch, time)`, True = real, with the masked steps at the end.
            Real steps get the same output as without the masked ones.

    Returns:
        `(batch, time, channels)`.

    Source: Yadav, Theodoridis, Tan, "AxLSTMs: learning self-supervised audio representations
    with xLSTMs", 2024; mLSTM block: Beck et al., "xLSTM", NeurIPS 2024.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import AxLSTMBlock

    AxLSTMBlock(expansion_factor=3)(np.zeros((2, 10, 64), "float32")).shape  # (2, 10, 64)
    ```
    """

    def __init__(
        self,
        num_heads=4,
        expansion_factor=3,
        reverse=False,
        input_gate="exp",
        forget_gate="sigmoid",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if expansion_factor < 1:
            raise ValueError(f"`expansion_factor` must be at least 1. Received: {expansion_factor}")
        self.num_heads = num_heads
        self.expansion_factor = expansion_factor
        self.reverse = reverse
        self.input_gate = input_gate
        self.forget_gate = forget_gate
        self.supports_masking = True

    def build(self, inputs_shape):
        channels = inputs_shape[-1]
        inner_shape = (*inputs_shape[:-1], self.expansion_factor * channels)
        small = keras.initializers.RandomNormal(stddev=(2 / (5 * channels)) ** 0.5)
        self.norm = MultiHeadNorm(dtype=self.dtype_policy, name="norm")
        self.norm.build(inputs_shape)
        self.up_projection = keras.layers.Dense(
            2 * inner_shape[-1],
            use_bias=False,
            kernel_initializer=small,
            dtype=self.dtype_policy,
            name="up_projection",
        )
        self.up_projection.build(inputs_shape)
        self.convolution = CausalConvolution(dtype=self.dtype_policy, name="convolution")
        self.convolution.build(inner_shape)
        self.mlstm = MLSTM(
            self.num_heads,
            input_gate=self.input_gate,
            forget_gate=self.forget_gate,
            kernel_initializer=small,
            dtype=self.dtype_policy,
            name="mlstm",
        )
        self.mlstm.build(inner_shape, inner_shape)
        self.skip = self.add_weight(name="skip", shape=inner_shape[-1:], initializer="ones")
        self.down_projection = keras.layers.Dense(
            channels,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(stddev=2 * channels**-0.5),
            dtype=self.dtype_policy,
            name="down_projection",
        )
        self.down_projection.build(inner_shape)

    def call(self, inputs, mask=None):
        parameters = self._block_parameters()
        options = BlockOptions(self._mixer_options(inputs.shape[1]), self.norm.epsilon)
        projections = self.up_projection, self.down_projection
        if all(layer.quantization_mode is None for layer in projections):
            return apply_block(inputs, mask, parameters, options)
        project_up, project_down = (functools.partial(project, layer) for layer in projections)
        return compose_block(inputs, mask, parameters, options, project_up, project_down)

    def gates(self, inputs):
        """Pre-activations of the gates, to look at what a block keeps and forgets.

        Args:
            inputs: `(batch, time, channels)`, what the block is called on.

        Returns:
            input_gate, forget_gate: `(batch, time, num_heads)` float32, in the order in which the
            block reads the sequence: from its end with `reverse`.
        """
        normalized = ops.cast(self.norm(inputs), self.compute_dtype)
        uz = project(self.up_projection, normalized)
        gates = mixer_gates(uz, self.mixer_parameters(), self._mixer_options(uz.shape[1]))
        return gates[..., : self.num_heads], gates[..., self.num_heads :]

    def mixer_parameters(self):
        """The weights between the two projections as the kernels use them, float32."""
        return mixer_parameters(self._block_parameters())

    def _block_parameters(self):
        mlstm = self.mlstm
        parameters = BlockParameters(
            norm_scale=self.norm.scale,
            up_kernel=self.up_projection.kernel,
            convolution_kernel=self.convolution.kernel,
            convolution_bias=self.convolution.bias,
            query_kernel=mlstm.query_projection.kernel,
            key_kernel=mlstm.key_projection.kernel,
            value_kernel=mlstm.value_projection.kernel,
            input_gate_kernel=mlstm.input_gate_kernel,
            input_gate_bias=mlstm.input_gate_bias,
            forget_gate_kernel=mlstm.forget_gate_kernel,
            forget_gate_bias=mlstm.forget_gate_bias,
            head_norm_scale=mlstm.norm.scale,
            skip=self.skip,
            down_kernel=self.down_projection.kernel,
        )
        # Those of an adapted layer are tensors.
        return BlockParameters(
            *(x.value if isinstance(x, keras.Variable) else x for x in parameters)
        )

    def _mixer_options(self, steps):
        form = choose_form(steps, self.skip.shape[0] // self.num_heads, kernel=True)
        return MixerOptions(
            heads=self.num_heads,
            reverse=self.reverse,
            sigmoid_input_gate=self.input_gate == "sigmoid",
            sigmoid_forget_gate=self.forget_gate == "sigmoid",
            chunk_size=form.chunk_size if form.name == "chunkwise" else None,
            epsilon=self.mlstm.norm.epsilon,
        )

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "num_heads": self.num_heads,
                "expansion_factor": self.expansion_factor,
                "reverse": self.reverse,
                "input_gate": self.input_gate,
                "forget_gate": self.forget_gate,
            }
        )
        return config
