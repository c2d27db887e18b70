import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.evaluation.models.identity import identity_of
from keras_axlstm.models.open_embedder import open_embedder


class PresetModel(EvaluationModel):
    """A preset of this package, or its architecture with random weights.

    Args:
        preset: a preset's name or folder, or `random:PRESET[:SEED]`.
        **options: arguments of `AudioEmbedder`.

    Raises:
        ValueError: an unknown preset, or one whose weights are not available.
    """

    def __init__(self, preset: str | os.PathLike, **options: Any) -> None:
        self._embedder = open_embedder(preset, **options)
        embedder, encoder = self._embedder, self._embedder.encoder
        config = {key: value for key, value in encoder.get_config().items() if key != "name"}
        settings = {
            "kind": type(encoder).__name__,
            "encoder": keras.saving.serialize_keras_object(config),
            "log_mel": embedder.log_mel,
            "normalization": (embedder.normalization, embedder.mean, embedder.std),
            "frames": (embedder.one_pass, embedder.frame_order),
        }
        if embedder.dynamic_range is not None:  # embeddings without one keep their place
            settings["dynamic_range"] = embedder.dynamic_range
        weights = (keras.ops.convert_to_numpy(weight) for weight in encoder.weights)
        name = Path(preset).resolve().name if os.path.isdir(preset) else os.fspath(preset)
        super().__init__(name, identity_of(settings, weights), embedder.embedding_dim)

    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        return self._embedder.embed(clips, self.sampling_rate)

    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        results: list[Any] = [None] * len(clips)
        for length in {clip.size for clip in clips}:
            indices = [index for index, clip in enumerate(clips) if clip.size == length]
            frames, times_ms = self._embedder.embed_timestamps(
                [clips[index] for index in indices], self.sampling_rate
            )
            for index, clip_frames in zip(indices, frames, strict=True):
                results[index] = (clip_frames, times_ms)
        return results
