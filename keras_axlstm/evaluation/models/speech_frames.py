import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from keras_axlstm.evaluation.models.equal_lengths import map_equal_lengths
from keras_axlstm.evaluation.models.torch_state import to_array


class SpeechFrames:
    """Frames of wav2vec 2.0, WavLM and HuBERT: convolutions on the waveform, then a transformer.

    Models trained with padding masks take clips of different lengths together. The others
    normalise over time, padding included, and take only clips of one length together.

    Args:
        model: of transformers, in evaluation mode.
        extractor: its feature extractor.
    """

    def __init__(self, model: Any, extractor: Any) -> None:
        if getattr(model.config, "add_adapter", False):
            raise ValueError(
                "Expected a model without adapter layers behind its transformer. Received: a "
                "config with add_adapter=True"
            )
        self._model = model
        self._extractor = extractor
        self._convolutions = list(
            zip(model.config.conv_kernel, model.config.conv_stride, strict=True)
        )
        self.samples_per_frame = math.prod(model.config.conv_stride)
        shortest = 1
        for kernel, stride in reversed(self._convolutions):
            shortest = (shortest - 1) * stride + kernel
        self._shortest = shortest

    def __call__(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """`(samples,)` at the model's rate to `(t, d)`; clips too short for a frame are padded."""
        clips = [np.pad(clip, (0, max(0, self._shortest - clip.size))) for clip in clips]
        if not self._extractor.return_attention_mask:
            return map_equal_lengths(self._hidden, clips)
        hidden = self._hidden(clips)
        lengths = [self._num_frames(clip.size) for clip in clips]
        return [frames[:length] for frames, length in zip(hidden, lengths, strict=True)]

    def _hidden(self, clips: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
        inputs = self._extractor(
            list(clips),
            sampling_rate=self._extractor.sampling_rate,
            padding=True,
            return_tensors="pt",
        )
        with torch.no_grad():
            outputs = self._model(**inputs.to(self._model.device))
        return to_array(outputs.last_hidden_state.float())

    def _num_frames(self, samples: int) -> int:
        for kernel, stride in self._convolutions:
            samples = (samples - kernel) // stride + 1
        return samples
