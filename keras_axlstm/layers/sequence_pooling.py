import keras
from keras import ops

POOLINGS = ("mean", "class_token", "attention")


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SequencePooling(keras.layers.Layer):
    """One vector for the token sequence of a clip.

    Args:
        pooling: `"mean"`: the frequency tokens of a time step side by side, averaged over time, as
            in `AudioEmbedder.embed`. `"attention"`: the same with learned weights, the softmax
            over time of a product with one learned vector; it starts as the mean.
            `"class_token"`: the first token.
        bands: int. Patches along frequency, that is tokens of one time step.
        patch_frames: int. Frames of a patch, that is of one time step.
        use_class_token: bool. Whether the first token is a class token.

    Call arguments:
        tokens: `(batch, tokens, channels)`, output of an encoder.
        real: optional boolean `(batch, frames)`, True = real frame, padding at the end.

    Returns:
        `(batch, channels)` for the class token, else `(batch, bands * channels)`.

    Raises:
        ValueError: an unknown `pooling`, or the class token of a sequence that has none.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import SequencePooling

    SequencePooling("attention", bands=5)(np.zeros((2, 251, 192), "float32")).shape  # (2, 960)
    ```
    """

    def __init__(self, pooling="mean", bands=5, patch_frames=4, use_class_token=True, **kwargs):
        super().__init__(**kwargs)
        if pooling not in POOLINGS:
            raise ValueError(f"`pooling` must be one of {POOLINGS}. Received: {pooling!r}")
        if pooling == "class_token" and not use_class_token:
            raise ValueError(
                '`pooling="class_token"` needs an encoder with `use_class_token=True`. Received: '
                'use_class_token=False. Use pooling="mean" or "attention".'
            )
        self.pooling = pooling
        self.bands = bands
        self.patch_frames = patch_frames
        self.use_class_token = use_class_token
        self.supports_masking = True

    def build(self, tokens_shape, real_shape=None):
        if self.pooling == "attention":
            channels = self.bands * tokens_shape[-1]
            self.query = self.add_weight(name="query", shape=(channels,), initializer="zeros")

    def call(self, tokens, real=None):
        if self.pooling == "class_token":
            return tokens[:, 0]
        if self.use_class_token:
            tokens = tokens[:, 1:]
        batch, count, channels = ops.shape(tokens)
        steps = count // self.bands
        frames = ops.reshape(tokens, (batch, steps, self.bands * channels))
        # float32: a sum over many frames.
        frames = ops.cast(frames, "float32")
        if real is None:
            real = ops.ones((batch, steps), "float32")
        else:
            # A time step is real if its first frame is.
            real = ops.cast(real[:, :: self.patch_frames], "float32")
        weights = real
        if self.pooling == "attention":
            scale = (self.bands * channels) ** -0.5
            scores = ops.matmul(frames, ops.cast(self.query, "float32")) * scale
            highest = ops.max(ops.where(real > 0, scores, -1e30), axis=1, keepdims=True)
            # Padding counts for nothing, but its exponential would have to be finite.
            weights = real * ops.exp(ops.minimum(scores - ops.stop_gradient(highest), 0.0))
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        pooled = ops.sum(frames * ops.expand_dims(weights, -1), axis=1)
        return ops.cast(pooled, tokens.dtype)

    def compute_mask(self, tokens, mask=None):
        # Without this Keras would hand the mask of the tokens to the loss.
        return None

    def compute_output_shape(self, tokens_shape, real_shape=None):
        tokens = 1 if self.pooling == "class_token" else self.bands
        return (tokens_shape[0], tokens * tokens_shape[-1])

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "pooling": self.pooling,
                "bands": self.bands,
                "patch_frames": self.patch_frames,
                "use_class_token": self.use_class_token,
            }
        )
        return config
