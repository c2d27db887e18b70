from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_axlstm.layers.headwise_projection import HeadwiseProjection, project_headwise
from keras_axlstm.layers.multi_head_norm import MultiHeadNorm
from keras_axlstm.recurrence.api import FORGET_GATES, INPUT_GATES, mlstm


class FoldedWeights(NamedTuple):
    """Projections and gates as maps of c and u alone; channels come in groups of `block_size`."""

    query_kernel: keras.KerasTensor  # (groups, in, out): `q . k = (Wk^T Wq c_i) . c_j`
    gate_kernel_convolved: keras.KerasTensor  # (channels, 2 heads), of c: input, then forget gates
    gate_kernel_inputs: keras.KerasTensor  # (channels, 2 heads), of u
    gate_bias: keras.KerasTensor  # (2 heads)
    value_kernel: keras.KerasTensor  # (groups, in, out)


@keras.saving.register_keras_serializable(package="keras_axlstm")
class MLSTM(keras.layers.Layer):
    """Matrix-memory LSTM with its projections, gates and head norm.

    `q = Wq c`, `k = Wk c`, `v = Wv u` with block-diagonal weights, gates from `[q, k, v]`, the
    recurrence of `keras_axlstm.ops.mlstm`, then a layer normalisation per head.

    The projections are linear and without bias, so k and v are never written: the recurrence runs
    on `c` as key and `u` as value, with `Wk^T Wq` on the query, `Wv` on the output, and the gates
    folded onto `c` and `u`. The result is the same, the weights stay those of the formula.

    Args:
        num_heads: int. Must divide the channels into heads that are multiples of `block_size`.
        block_size: int. Channels of a group of the block-diagonal projections.
        input_gate: `"exp"` or `"sigmoid"`.
        forget_gate: `"sigmoid"` or `"exp"`.
        kernel_initializer: initializer of the three projections.

    Call arguments:
        convolved: `(batch, time, channels)`, c: source of query and key.
        inputs: `(batch, time, channels)`, u: source of value.
        mask: optional boolean `(batch, time)`, True = real; masked steps leave the memory alone.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import MLSTM

    x = np.random.normal(size=(2, 10, 64)).astype("float32")
    MLSTM(num_heads=4)(x, x).shape  # (2, 10, 64)
    ```
    """

    def __init__(
        self,
        num_heads=4,
        block_size=4,
        input_gate="exp",
        forget_gate="sigmoid",
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if input_gate not in INPUT_GATES:
            raise ValueError(f"`input_gate` must be one of {INPUT_GATES}. Received: {input_gate!r}")
        if forget_gate not in FORGET_GATES:
            raise ValueError(
                f"`forget_gate` must be one of {FORGET_GATES}. Received: {forget_gate!r}"
            )
        self.num_heads = num_heads
        self.block_size = block_size
        self.input_gate = input_gate
        self.forget_gate = forget_gate
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, convolved_shape, inputs_shape):
        channels = inputs_shape[-1]
        if channels % (self.num_heads * self.block_size):
            raise ValueError(
                "The number of channels must be a multiple of `num_heads * block_size` = "
                f"{self.num_heads * self.block_size}, so that no projection group crosses heads. "
                f"Received: inputs of shape {tuple(inputs_shape)}"
            )
        for name in ("query", "key", "value"):
            projection = HeadwiseProjection(
                self.block_size,
                # A fresh copy: one initializer object gives all three the same draw.
                self.kernel_initializer.clone(),
                dtype=self.dtype_policy,
                name=f"{name}_projection",
            )
            projection.build(inputs_shape)
            setattr(self, f"{name}_projection", projection)
        for name, bias_initializer in (
            ("input_gate", keras.initializers.RandomNormal(stddev=0.1)),
            ("forget_gate", _linspace),
        ):
            kernel = self.add_weight(
                name=f"{name}_kernel", shape=(3 * channels, self.num_heads), initializer="zeros"
            )
            bias = self.add_weight(
                name=f"{name}_bias", shape=(self.num_heads,), initializer=bias_initializer
            )
            setattr(self, f"{name}_kernel", kernel)
            setattr(self, f"{name}_bias", bias)
        self.norm = MultiHeadNorm(self.num_heads, dtype=self.dtype_policy, name="norm")
        self.norm.build(inputs_shape)

    def call(self, convolved, inputs, mask=None):
        h = apply_mlstm(
            convolved,
            inputs,
            mask,
            self.folded_weights(),
            self.num_heads,
            self.input_gate,
            self.forget_gate,
        )
        return self.norm(h)

    def folded_weights(self):
        """The weights as the recurrence uses them, float32."""
        projections = (self.query_projection, self.key_projection, self.value_projection)
        return fold_weights(
            [layer.kernel for layer in projections],
            [self.input_gate_kernel, self.forget_gate_kernel],
            [self.input_gate_bias, self.forget_gate_bias],
        )

    def compute_output_shape(self, convolved_shape, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "num_heads": self.num_heads,
                "block_size": self.block_size,
                "input_gate": self.input_gate,
                "forget_gate": self.forget_gate,
                "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            }
        )
        return config


def fold_weights(projections, gate_kernels, gate_biases) -> FoldedWeights:
    """`MLSTM.folded_weights` of its weights: of query, key and value, and of both gates."""
    # Few operations: in eager PyTorch each takes as long as its part of a short clip.
    projections = ops.stack([ops.cast(kernel, "float32") for kernel in projections])
    _, groups, block_size, _ = projections.shape
    kernel = ops.concatenate(gate_kernels, axis=-1)
    bias = ops.concatenate(gate_biases, axis=-1)
    kernel = ops.reshape(ops.cast(kernel, "float32"), (3, groups, block_size, -1))
    folded = ops.reshape(ops.matmul(projections, kernel), (3, groups * block_size, -1))
    query, key, value = projections[0], projections[1], projections[2]
    return FoldedWeights(
        query_kernel=ops.matmul(query, ops.swapaxes(key, -1, -2)),
        gate_kernel_convolved=folded[0] + folded[1],
        gate_kernel_inputs=folded[2],
        gate_bias=ops.cast(bias, "float32"),
        value_kernel=value,
    )


def apply_mlstm(
    convolved: keras.KerasTensor,
    inputs: keras.KerasTensor,
    mask: keras.KerasTensor | None,
    weights: FoldedWeights,
    num_heads: int,
    input_gate: str,
    forget_gate: str,
) -> keras.KerasTensor:
    """Output of the recurrence, before the norm: `(batch, time, channels)`, float32."""
    batch, time, channels = ops.shape(inputs)
    query = project_headwise(convolved, ops.cast(weights.query_kernel, convolved.dtype))
    gates = gate_preactivations(convolved, inputs, weights)
    heads_shape = (batch, time, num_heads, channels // num_heads)
    h = mlstm(
        ops.reshape(query, heads_shape),
        ops.reshape(convolved, heads_shape),
        ops.reshape(inputs, heads_shape),
        gates[..., :num_heads],
        gates[..., num_heads:],
        input_gate_activation=input_gate,
        forget_gate_activation=forget_gate,
        mask=mask,
        output_dtype="float32",
    )
    return project_headwise(ops.reshape(h, (batch, time, channels)), weights.value_kernel)


def gate_preactivations(
    convolved: keras.KerasTensor, inputs: keras.KerasTensor, weights: FoldedWeights
) -> keras.KerasTensor:
    """Input gates, then forget gates: `(batch, time, 2 * num_heads)`, float32."""
    gates = weights.gate_bias
    for x, kernel in (
        (convolved, weights.gate_kernel_convolved),
        (inputs, weights.gate_kernel_inputs),
    ):
        gates = gates + ops.cast(ops.matmul(x, ops.cast(kernel, x.dtype)), "float32")
    return gates


def _linspace(shape, dtype=None):
    """Forget-gate bias: heads start with memories of different length."""
    return ops.convert_to_tensor(np.linspace(3.0, 6.0, shape[0]), dtype=dtype)
