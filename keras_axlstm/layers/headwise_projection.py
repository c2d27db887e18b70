import keras
import numpy as np
from keras import ops

# Channels of a dense tile of the block-diagonal product.
TILE = 64


@keras.saving.register_keras_serializable(package="keras_axlstm")
class HeadwiseProjection(keras.layers.Layer):
    """Block-diagonal projection: neighbouring channels are mixed in small groups, without bias.

    Args:
        block_size: int. Channels of a group; must divide the number of channels.
        kernel_initializer: initializer of the `(groups, block_size, block_size)` kernel,
            input channel before output channel.

    Call arguments:
        inputs: `(batch, time, channels)`.

    Returns:
        `(batch, time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import HeadwiseProjection

    HeadwiseProjection(block_size=4)(np.zeros((2, 10, 64), "float32")).shape  # (2, 10, 64)
    ```
    """

    def __init__(self, block_size=4, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.block_size = block_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, inputs_shape):
        channels = inputs_shape[-1]
        if channels % self.block_size:
            raise ValueError(
                f"`block_size={self.block_size}` must divide the number of channels. "
                f"Received: inputs of shape {tuple(inputs_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(channels // self.block_size, self.block_size, self.block_size),
            initializer=self.kernel_initializer,
        )

    def call(self, inputs):
        return project_headwise(inputs, ops.cast(self.kernel, inputs.dtype))

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "block_size": self.block_size,
                "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            }
        )
        return config


def project_headwise(inputs: keras.KerasTensor, kernel: keras.KerasTensor) -> keras.KerasTensor:
    """Multiply `(batch, time, channels)` with a block-diagonal `(groups, in, out)` kernel."""
    tiles = dense_tiles(kernel)
    parts = ops.split(inputs, tiles.shape[0], axis=-1)
    outputs = [ops.matmul(part, tiles[i]) for i, part in enumerate(parts)]
    return ops.concatenate(outputs, axis=-1)


def dense_tiles(kernel: keras.KerasTensor) -> keras.KerasTensor:
    """Block-diagonal `(tiles, width, width)` matrices of the groups of `(groups, in, out)`.

    Products of 64 channels are faster on CPUs than batches of tiny ones, zeros included, and need
    no transposition.
    """
    groups, block_size, _ = kernel.shape
    at_once = max(
        n for n in range(1, groups + 1) if groups % n == 0 and (n == 1 or n * block_size <= TILE)
    )
    blocks = ops.reshape(kernel, (-1, at_once, block_size, 1, block_size))
    # From NumPy: TensorFlow's operation for it is one that OpenVINO does not read.
    diagonal = np.eye(at_once).reshape(1, at_once, 1, at_once, 1)
    diagonal = ops.convert_to_tensor(diagonal, dtype=kernel.dtype)
    width = at_once * block_size
    return ops.reshape(blocks * diagonal, (-1, width, width))
