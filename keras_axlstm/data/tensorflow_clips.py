"""Batches of clips of any lengths for a TensorFlow training loop."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def as_tf_dataset(batches: Any, inputs: dict[str, Any], columns: Sequence[np.ndarray]) -> Any:
    """A `tf.data.Dataset` of batches of preprocessed clips.

    Keras itself would fix the shapes by the first batches of a grain data set, and later ones may
    hold longer clips.

    Args:
        batches: a `grain.IterDataset` of tuples: a dict of arrays, and arrays `(clips, ...)`.
        inputs: what describes the arrays of the dict by `shape`, None = any, and `dtype`.
        columns: arrays like the others, of any number of clips.
    """
    signature = (
        {name: tf.TensorSpec(spec.shape, spec.dtype) for name, spec in inputs.items()},
        *(tf.TensorSpec((None, *column.shape[1:]), column.dtype) for column in columns),
    )

    def elements() -> Iterator[Any]:
        return iter(batches)

    return tf.data.Dataset.from_generator(elements, output_signature=signature).prefetch(1)
