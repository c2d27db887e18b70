import math
from typing import Any

import numpy as np
import torch

from keras_axlstm.evaluation.models.torch_state import to_array

# Of the extractor's filter banks, at 16 kHz: 25 ms every 10 ms.
FILTER_BANK_WINDOW = 400
FILTER_BANK_HOP = 160
# The class token and the distillation token stand before the patches.
NUM_SPECIAL_TOKENS = 2
PARTS_TOGETHER = 16


class ASTFrames:
    """Frames of the Audio Spectrogram Transformer: the mean of a time step's patches.

    The model reads stretches of one length, 10.24 s as published. A longer clip is cut into
    several, and what a shorter one is filled up with is dropped.

    Args:
        model: of transformers, in evaluation mode.
        extractor: its feature extractor.
    """

    def __init__(self, model: Any, extractor: Any) -> None:
        config = model.config
        if extractor.max_length != config.max_length:
            raise ValueError(
                f"The model reads {config.max_length} frames. Received: a feature extractor that "
                f"gives {extractor.max_length}"
            )
        self._model = model
        self._extractor = extractor
        self._bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        self._steps = (config.max_length - config.patch_size) // config.time_stride + 1
        self.samples_per_frame = config.time_stride * FILTER_BANK_HOP

    def __call__(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """`(samples,)` at the model's rate to `(t, d)`."""
        parts = [self._cut(clip) for clip in clips]
        flat = [part for clip_parts in parts for part in clip_parts]
        steps = iter(
            frames
            for start in range(0, len(flat), PARTS_TOGETHER)
            for frames in self._frames(flat[start : start + PARTS_TOGETHER])
        )
        return [np.concatenate([next(steps) for _ in clip_parts]) for clip_parts in parts]

    def _cut(self, clip: np.ndarray) -> list[np.ndarray]:
        """Stretches of as many steps as the model has, so that time steps stay evenly spaced."""
        samples = self._steps * self.samples_per_frame
        parts = [clip[start : start + samples] for start in range(0, clip.size, samples)]
        if len(parts) > 1 and parts[-1].size < FILTER_BANK_WINDOW:
            parts.pop()
        return parts

    def _frames(self, parts: list[np.ndarray]) -> list[np.ndarray]:
        inputs = self._extractor(
            [np.pad(part, (0, max(0, FILTER_BANK_WINDOW - part.size))) for part in parts],
            sampling_rate=self._extractor.sampling_rate,
            return_tensors="pt",
        )
        with torch.no_grad():
            outputs = self._model(**inputs.to(self._model.device))
        patches = to_array(outputs.last_hidden_state.float())[:, NUM_SPECIAL_TOKENS:]
        steps = patches.reshape(len(parts), self._bands, self._steps, -1).mean(axis=1)
        return [
            frames[: math.ceil(part.size / self.samples_per_frame)]
            for frames, part in zip(steps, parts, strict=True)
        ]
