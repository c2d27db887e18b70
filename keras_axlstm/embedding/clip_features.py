"""From log-mel spectrograms to frame features, batch by batch."""

import math
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_axlstm.embedding.pieces import cut_windows, in_batches, pad_whole

NumberedArrays = Iterator[tuple[int, np.ndarray]]


class ClipFeatures:
    """The features of clips, computed in batches of a few shapes.

    Clips come as pairs of number and log-mel spectrogram `(frames, bands)` float32. They are taken
    and their features given one at a time, so that no more than a batch and a clip are in memory.

    Args:
        encoder: a `SpectrogramEncoder`.
        frame_order: `order` of its `frame_features`.
        one_pass: read a clip whole and not in windows.
        batch_size: windows of the encoder's nominal length in a batch.
    """

    def __init__(self, encoder: Any, frame_order: str, one_pass: bool, batch_size: int):
        self._encoder = encoder
        self._frame_order = frame_order
        self._one_pass = one_pass
        self._batch_size = batch_size
        self._models: dict[tuple[int, ...], keras.Model] = {}

    def frames(self, spectrograms: NumberedArrays) -> NumberedArrays:
        """Pairs of clip number and frame features `(steps, d)` float32."""
        for clip, parts in groupby(self._parts(spectrograms), key=itemgetter(0)):
            yield clip, np.concatenate([part for _, part in parts])

    def scenes(self, spectrograms: NumberedArrays) -> NumberedArrays:
        """Pairs of clip number and mean over time `(d,)` float32.

        The frames of a long clip are never held together.
        """
        for clip, parts in groupby(self._parts(spectrograms), key=itemgetter(0)):
            total: Any = 0.0
            steps = 0
            for _, part in parts:
                total = total + part.sum(axis=0, dtype="float64")
                steps += len(part)
            yield clip, (total / steps).astype("float32")

    def _parts(self, spectrograms: NumberedArrays) -> NumberedArrays:
        """Frame features of the windows; those of a clip follow each other in order."""
        window_frames = self._encoder.spectrogram_shape[0]
        patch_frames = self._encoder.patch_size[0]
        pieces = (pad_whole if self._one_pass else cut_windows)(spectrograms, window_frames)
        for batch in in_batches(pieces, self._batch_size * window_frames):
            inputs = {"spectrogram": batch.spectrogram}
            if self._one_pass:
                inputs["mask"] = batch.mask
            features = self._model(batch.spectrogram.shape).predict_on_batch(inputs)
            for piece, steps in zip(batch.pieces, features, strict=False):
                yield piece.clip, steps[: math.ceil(piece.num_frames / patch_frames)]

    def _model(self, shape: tuple[int, ...]) -> keras.Model:
        """A model a shape: given a second one, TensorFlow would compile for unknown sizes."""
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
        if keras.backend.backend() == "tensorflow":
            # By itself Keras leaves XLA out on a CPU; a short clip takes a quarter longer then.
            self.jit_compile = True

    def call(self, inputs: dict[str, Any]) -> Any:
        sequence = self.encoder(inputs["spectrogram"], mask=inputs.get("mask"))
        return ops.cast(self.encoder.frame_features(sequence, self.frame_order), "float32")
