import keras

from keras_axlstm.layers.axlstm_block import AxLSTMBlock
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class AxLSTMEncoder(SpectrogramEncoder):
    """Audio xLSTM: a stack of mLSTM blocks over spectrogram patches.

    A `keras_hub.models.Backbone`. Log-mel spectrograms `(batch, time, frequency)` of any length
    in, tokens `(batch, 1 + patches, hidden_dim)` out, class token first.

    Args:
        spectrogram_shape: `(time, frequency)` of the nominal input, e.g. `(200, 80)`: 2 s.
        patch_size: `(time, frequency)` of a patch.
        hidden_dim: int. Channels of a token: 192 tiny, 384 small, 768 base.
        num_layers: int. Blocks.
        num_heads: int. Heads of each mLSTM.
        expansion_factor: int. Channels inside a block over `hidden_dim`.
        flip: bool. Every second block (2nd, 4th, ...) reads the sequence from its end.
        input_gate: `"exp"` or `"sigmoid"`.
        forget_gate: `"sigmoid"` or `"exp"`.
        use_class_token: bool. Put a class token in front of the patches.
        dtype: dtype or dtype policy. Gates, states and norms are float32 under every policy.

    Call arguments:
        spectrogram: float `(batch, time, frequency)`; what is missing of a last patch is zeros.
        mask: optional boolean `(batch, time)`, True = real frame, padding at the end; tokens of
            real frames are the same as without the padding.

    Raises:
        ValueError: sizes that do not fit, an unknown gate, a spectrogram of the wrong shape.

    Source: Yadav, Theodoridis, Tan, "AxLSTMs: learning self-supervised audio representations
    with xLSTMs", 2024, https://arxiv.org/abs/2408.16568

    Example:

    ```python
    import numpy as np
    import keras_axlstm

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    encoder(np.zeros((1, 200, 80), "float32")).shape  # (1, 251, 192)

    # Two clips of different length, padded together.
    mask = np.arange(300) < np.array([[300], [180]])
    encoder(np.zeros((2, 300, 80), "float32"), mask=mask).shape  # (2, 376, 192)
    ```
    """

    def __init__(
        self,
        spectrogram_shape=(200, 80),
        patch_size=(4, 16),
        hidden_dim=192,
        num_layers=12,
        num_heads=4,
        expansion_factor=3,
        flip=False,
        input_gate="exp",
        forget_gate="sigmoid",
        use_class_token=True,
        dtype=None,
        **kwargs,
    ):
        blocks = [
            AxLSTMBlock(
                num_heads=num_heads,
                expansion_factor=expansion_factor,
                reverse=flip and i % 2 == 1,
                input_gate=input_gate,
                forget_gate=forget_gate,
                dtype=dtype,
                name=f"block_{i}",
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
        self.expansion_factor = expansion_factor
        self.flip = flip
        self.input_gate = input_gate
        self.forget_gate = forget_gate

    def default_lora_layer_names(self):
        return ["up_projection", "down_projection"]

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "num_heads": self.num_heads,
                "expansion_factor": self.expansion_factor,
                "flip": self.flip,
                "input_gate": self.input_gate,
                "forget_gate": self.forget_gate,
            }
        )
        return config
