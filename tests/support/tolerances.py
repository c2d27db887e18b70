"""The tolerances of every comparison by value, in one place.

Relative errors are errors in norm: ||actual - expected|| / ||expected||.
"""

import keras
import numpy as np

# float32 against the float64 golden values of the recurrence.
GOLDEN_OUTPUT = 1e-5
GOLDEN_GRADIENT = 1e-4
# Gates of magnitude 100: the exponents themselves carry float32 rounding of 1e-5 x 100.
GOLDEN_EXTREME = 1e-3

# float32 against the float32 golden values of whole models: rounding of two frameworks adds up.
GOLDEN_MODEL_OUTPUT = 1e-4
GOLDEN_MODEL_GRADIENT = 1e-3

# Absolute, on log-mel values (natural log of power).
LOG_MEL = 1e-3
# Below the loudest band of a frame. Further down, the golden log-mel is float32 FFT rounding: the
# authors' own code differs there by 7e-3 from one CPU to another.
GOLDEN_LOG_MEL_RANGE_DB = 85

# Windowed embeddings of audio: log-mel rounding passes through the whole model.
RUNTIME_EMBEDDING = 1e-3

# The same weights on two backends, and padded against unpadded batches.
BACKENDS_AGREE = 1e-4

# Two float32 evaluations of one formula in different order.
SAME_FORMULA = 1e-5

# Fused kernels in float32, values and gradients.
FUSED = 1e-4

# Products in a low precision dtype against float32 on the same inputs: a few of its roundings.
LOW_PRECISION = {"bfloat16": 2e-2, "float16": 2e-3}


def relative_error(actual, expected) -> float:
    """||actual - expected|| / ||expected||, computed in float64; shapes must agree."""
    # Tensors of PyTorch on a GPU are nothing to NumPy.
    actual = keras.ops.convert_to_numpy(actual).astype("float64")
    expected = keras.ops.convert_to_numpy(expected).astype("float64")
    if actual.shape != expected.shape:
        raise AssertionError(f"shapes differ: actual {actual.shape}, expected {expected.shape}")
    if not np.all(np.isfinite(actual)):
        raise AssertionError("actual values are not finite")
    norm = np.linalg.norm(expected)
    return float(np.linalg.norm(actual - expected) / (norm if norm > 0 else 1.0))
