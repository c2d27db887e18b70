"""An `AxLSTMEncoder` on a spectrogram that comes in parts."""

from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.layers import AxLSTMBlock
from keras_axlstm.layers.sine_cosine_position import position_rates
from keras_axlstm.streaming.block_stream import BlockStream, standardize, to_float32

if TYPE_CHECKING:
    from keras_axlstm.models import SpectrogramEncoder


class EncoderStream:
    """An encoder with the state of its blocks, in NumPy and float32.

    Args:
        encoder: a `SpectrogramEncoder` that reads forwards only. Its weights are copied.

    Raises:
        ValueError: the encoder looks ahead (flip, attention) or is quantized.
    """

    def __init__(self, encoder: "SpectrogramEncoder"):
        _check_encoder(encoder)
        projection = encoder.patch_embedding.projection
        self._patch_kernel = to_float32(projection.kernel)
        self._patch_bias = to_float32(projection.bias)
        self._patch_size = encoder.patch_size
        self._bands = encoder.grid_size[1]
        self._rates = position_rates(encoder.hidden_dim)
        token = encoder.class_token
        self._class_token = None if token is None else to_float32(token.token)[0]
        self._blocks = [BlockStream(block) for block in encoder.blocks]
        self._gamma, self._beta = to_float32(encoder.norm.gamma), to_float32(encoder.norm.beta)
        self._epsilon = encoder.norm.epsilon
        self._step = 0

    def restart(self) -> None:
        """Begin a new spectrogram."""
        self._step = 0
        for block in self._blocks:
            block.restart()

    def push(self, spectrogram: np.ndarray) -> np.ndarray:
        """Tokens of the next time steps.

        Args:
            spectrogram: float32 `(frames, frequency)`, one or more whole patches of frames.

        Returns:
            `(time_steps, frequency_steps, hidden_dim)`.
        """
        tokens = self._embed(spectrogram)
        shape = tokens.shape
        tokens = tokens.reshape(-1, shape[-1])
        begins = self._step == 0 and self._class_token is not None
        if begins:
            tokens = np.concatenate([self._class_token, tokens])
        # exp(-z) of a very negative z is infinite, and silu(z) then 0 as it should be.
        with np.errstate(over="ignore"):
            for block in self._blocks:
                tokens = block.push(tokens)
        self._step += shape[0]
        tokens = tokens[1:] if begins else tokens
        return (standardize(tokens, self._epsilon) * self._gamma + self._beta).reshape(shape)

    def _embed(self, spectrogram: np.ndarray) -> np.ndarray:
        """Patches, projected and with their position."""
        time, frequency = self._patch_size
        steps = len(spectrogram) // time
        patches = (
            spectrogram.reshape(steps, time, self._bands, frequency)
            .swapaxes(1, 2)
            .reshape(steps, self._bands, time * frequency)
        )
        tokens = patches @ self._patch_kernel + self._patch_bias
        half = tokens.shape[-1] // 2
        tokens[..., :half] += self._encode(np.arange(self._bands))
        tokens[..., half:] += self._encode(np.arange(self._step, self._step + steps))[:, np.newaxis]
        return tokens

    def _encode(self, index: np.ndarray) -> np.ndarray:
        """Half a position. The angles are rounded to float32 as in the layer."""
        angle = (index.astype("float32")[:, np.newaxis] * self._rates).astype("float64")
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype("float32")


def _check_encoder(encoder: "SpectrogramEncoder") -> None:
    for block in encoder.blocks:
        if not isinstance(block, AxLSTMBlock):
            raise ValueError(
                "A stream needs an encoder whose tokens depend on earlier ones only: an "
                f"AxLSTMEncoder with `flip=False`. Received: {type(encoder).__name__}, whose "
                f"{type(block).__name__} attends to the whole clip."
            )
        if block.reverse:
            raise ValueError(
                "A stream needs an encoder whose tokens depend on earlier ones only: an "
                "AxLSTMEncoder with `flip=False`. Received: flip=True, with which every second "
                "block reads the clip from its end. Weights trained with flip do not fit without; "
                "`embed_timestamps` takes them."
            )
    layers = [encoder.patch_embedding.projection]
    for block in encoder.blocks:
        layers += [block.up_projection, block.down_projection]
    modes = {layer.quantization_mode for layer in layers} - {None}
    if modes:
        raise ValueError(
            "A stream computes in float32 and needs the weights so. Received: an encoder quantized "
            f"to {sorted(modes)[0]}. Load the preset again without quantizing it."
        )
