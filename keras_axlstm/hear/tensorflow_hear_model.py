from typing import Any

import numpy as np
import tensorflow as tf

from keras_axlstm.hear.hear_model import HearModel


class TensorFlowHearModel(HearModel, tf.Module):
    """A HEAR model for TensorFlow tensors.

    Args:
        embedder: computes the embeddings.
    """

    def __call__(self, audio: Any) -> Any:
        """Scene embeddings."""
        return self.scene_embeddings(audio)

    def _array(self, audio: Any) -> np.ndarray:
        if not tf.is_tensor(audio):
            raise ValueError(
                f"`audio` must be a TensorFlow tensor. Received: {type(audio).__name__}. Convert "
                "it with `tf.convert_to_tensor`."
            )
        return audio.numpy()

    def _tensor(self, array: np.ndarray, audio: Any) -> Any:
        return tf.convert_to_tensor(array)
