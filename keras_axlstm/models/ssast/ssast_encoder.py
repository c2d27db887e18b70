import keras

from keras_axlstm.layers.transformer_block import TransformerBlock
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SSASTEncoder(SpectrogramEncoder):
    """Self-supervised audio spectrogram transformer: the baseline of the AxLSTM paper.

    A `keras_hub.models.Backbone` with the interface of `AxLSTMEncoder`. Attention knows the order
    of tokens from their position alone: pretrain it with `position_on_masked=True`. Without, as in
    the authors' code, it fills in every hidden patch of a clip alike.

    Args:
        spectrogram_shape: `(time, frequency)` of the nominal input, e.g. `(200, 80)`: 2 s.
        patch_size: `(time, frequency)` of a patch.
        hidden_dim: int. Channels of a token: 192 tiny, 384 small, 768 base.
        num_layers: int. Blocks.
        num_heads: int. Attention heads: 3 tiny, 6 small, 12 base.
        mlp_ratio: int. Hidden channels of an MLP over `hidden_dim`.
        use_class_token: bool. Put a class token in front of the patches.
        dtype: dtype or dtype policy.

    Call arguments:
        spectrogram: float `(batch, time, frequency)`; what is missing of a last patch is zeros.
        mask: optional boolean `(batch, time)`, True = real frame, padding at the end; tokens of
            real frames are the same as without the padding.

    Raises:
        ValueError: sizes that do not fit, or a spectrogram of the wrong shape.

    Source: Gong, Lai, Chung, Glass, "SSAST: Self-Supervised Audio Spectrogram Transformer",
    AAAI 2022, with the reconstruction objective of https://arxiv.org/abs/2408.16568

    Example:

    ```python
    import numpy as np
    import keras_axlstm

    encoder = keras_axlstm.SSASTEncoder.from_preset("ssast_tiny", load_weights=False)
    encoder(np.zeros((1, 200, 80), "float32")).shape  # (1, 251, 192)
    ```
    """

    def __init__(
        self,
        spectrogram_shape=(200, 80),
        patch_size=(4, 16),
        hidden_dim=192,
        num_layers=12,
        num_heads=3,
        mlp_ratio=4,
        use_class_token=True,
        dtype=None,
        **kwargs,
    ):
        blocks = [
            TransformerBlock(
                num_heads=num_heads, mlp_ratio=mlp_ratio, dtype=dtype, name=f"block_{i}"
            )
            for i in range(num_layers)
        ]
        super().__init__(
            blocks,
            spectrogram_shape=spectrogram_shape,
            patch_size=patch_size,
            hidden_dim=hidden_dim,
            use_class_token=use_class_token,
            dtype=dtype,
            **kwargs,
        )

        # === Config ===
        self.num_heads = num_heads
        self.mlp_ratio = mlp_ratio

    def default_lora_layer_names(self):
        return ["query", "value"]

    def get_config(self):
        config = super().get_config()
        config.update({"num_heads": self.num_heads, "mlp_ratio": self.mlp_ratio})
        return config
