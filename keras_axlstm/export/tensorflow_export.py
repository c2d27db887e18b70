"""Files that Keras writes by way of TensorFlow."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


def export_with_tensorflow(
    graph: Any,
    output: Path,
    weights: Path | None,
    format: str,
    shape: tuple[int | None, ...],
    int8: bool,
) -> None:
    """Write a `WaveformModel`; see `export_model`."""
    signature = [keras.InputSpec(shape=shape, dtype="float32", name="waveform")]
    options: dict[str, Any] = {"input_signature": signature, "verbose": False}
    if format == "litert":
        options |= dict(
            optimizations=[tf.lite.Optimize.DEFAULT] if int8 else [],
            # None of TensorFlow's own: they would need its runtime beside LiteRT's.
            target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
            # Weights are constants, which the converter can fold and quantize.
            experimental_enable_resource_variables=False,
        )
    name = "tf_saved_model" if format == "saved_model" else format
    graph.export(str(output), format=name, **options)
    if weights is not None:
        output.with_suffix(".bin").rename(weights)
