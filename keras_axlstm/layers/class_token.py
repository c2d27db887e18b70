import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class ClassToken(keras.layers.Layer):
    """Put one learned token in front of a sequence. Its position is zero.

    Call arguments:
        tokens: `(batch, time, channels)`.

    Returns:
        `(batch, 1 + time, channels)`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import ClassToken

    ClassToken()(np.zeros((2, 250, 192), "float32")).shape  # (2, 251, 192)
    ```
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, tokens_shape):
        self.token = self.add_weight(
            name="token",
            shape=(1, 1, tokens_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, tokens):
        batch, _, channels = ops.shape(tokens)
        token = ops.broadcast_to(ops.cast(self.token, tokens.dtype), (batch, 1, channels))
        return ops.concatenate([token, tokens], axis=1)

    def compute_mask(self, tokens, mask=None):
        if mask is None:
            return None
        mask = ops.cast(mask, "bool")
        return ops.concatenate([ops.ones_like(mask[:, :1]), mask], axis=1)

    def compute_output_shape(self, tokens_shape):
        batch, time, channels = tokens_shape
        return (batch, None if time is None else time + 1, channels)
