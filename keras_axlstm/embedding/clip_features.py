"""From log-mel spectrograms to frame features, batch by batch."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_axlstm.embedding.pieces import cut_windows, in_batches, pad_whole


class ClipFeatures:
    """The frame features of clips, computed in batches of a few shapes.

    Args:
        encoder: a `SpectrogramEncoder`.
        frame_order: `order` of its `frame_features`.
        one_pass: read a clip whole and not in windows.
    """

    def __init__(self, encoder: Any, frame_order: str, one_pass: bool):
        self._encoder = encoder
        self._frame_order = frame_order
        self._one_pass = one_pass
        self._models: dict[tuple[int, ...], keras.Model] = {}

    def __call__(
        self, spectrograms: Iterable[tuple[int, np.ndarray]], batch_size: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Features of many clips, taken from and given to iterators.

        Args:
            spectrograms: pairs of clip number and `(frames, bands)` float32 array.
            batch_size: windows of the encoder's nominal length in a batch.

        Yields:
            Pairs of clip number and `(steps, d)` float32. In windows a clip comes in several
            parts, which follow each other in order.
        """
        window_frames = self._encoder.spectrogram_shape[0]
        patch_frames = self._encoder.patch_size[0]
        cut = pad_whole if self._one_pass else cut_windows
        for batch in in_batches(cut(spectrograms, window_frames), batch_size * window_frames):
            inputs = {"spectrogram": batch.spectrogram}
            if self._one_pass:
                inputs["mask"] = batch.mask
            features = self._model(batch.spectrogram.shape).predict_on_batch(inputs)
            for piece, steps in zip(batch.pieces, features, strict=False):
                yield piece.clip, steps[: math.ceil(piece.num_frames / patch_frames)]

    def _model(self, shape: tuple[int, ...]) -> keras.Model:
        """A model for each shape: given a second one, TensorFlow would compile for unknown sizes."""
        if shape not in self._models:
            self._models[shape] = _FeatureModel(self._encoder, self._frame_order)
        return self._models[shape]


class _FeatureModel(keras.Model):
    """Spectrograms, and a mask of frames if any, to float32 frame features."""

    def __init__(self, encoder: Any, frame_order: str):
        # TensorFlow takes no scope name with a leading underscore, as the class's would be.
        super().__init__(name="feature_model")
        self.encoder = encoder
        self.frame_order = frame_order
        # It has no weights of its own: without this JAX would first run it uncompiled.
        self.built = True

    def call(self, inputs: dict[str, Any]) -> Any:
        sequence = self.encoder(inputs["spectrogram"], mask=inputs.get("mask"))
        return ops.cast(self.encoder.frame_features(sequence, self.frame_order), "float32")
