"""The probe's equations, for many models at once.

    z = x W                                     hidden layer
    y = scale (z - mean) / sqrt(variance + 1e-5) + offset
    h = relu(dropout(y))
    logits = h V + bias

Models differ in weights, data order, dropout and learning rate, never in shape: every tensor has
a leading axis of models, and no model sees another. Gradients are written out, so that one code
serves the three backends.

A hidden layer has no bias: the batch mean takes it away. What the bias of PyTorch's `Linear` does
do, shift the moving mean at the start, is in the initial moving mean (see `initial_state`).

Shapes: M models, N clips, D numbers of an embedding, H hidden units, C classes.
"""

from typing import Any

from keras import ops

from keras_axlstm.evaluation.probe.adam import adam

Tensors = dict[str, Any]

EPSILON = 1e-5
MOMENTUM = 0.1


def train_step(
    state: dict[str, Tensors],
    clips: Any,
    labels: Any,
    batch: Any,
    kept: list[Any],
    dropout: Any,
    step_size: Any,
    second_correction: Any,
    *,
    multilabel: bool,
) -> dict[str, Tensors]:
    """One step of Adam on the mean cross entropy of a batch.

    Args:
        state: `weights`, `moments`, `squares` and `statistics`; see `initial_state`.
        clips: embeddings of all training clips, (n, D).
        labels: their labels as 0 and 1, (n, C).
        batch: which clips each model sees, (M, N) int32.
        kept: a mask (M, N, H) bool of what dropout keeps, a hidden layer.
        dropout: the fraction that it drops, (M, 1, 1).
        step_size: learning rate over the correction of Adam's first moment, (M, 1, 1).
        second_correction: the correction of its second moment, a scalar.
        multilabel: binary cross entropy in the place of cross entropy.

    Returns:
        The new state.
    """
    x = ops.take(clips, batch, axis=0)
    gradients, statistics = _gradients(
        state["weights"],
        state["statistics"],
        x,
        ops.take(labels, batch, axis=0),
        [ops.cast(mask, x.dtype) / (1.0 - dropout) for mask in kept],
        multilabel,
    )
    return {
        **adam(state, gradients, step_size, second_correction),
        "statistics": statistics,
    }


def predict(weights: Tensors, statistics: Tensors, x: Any, *, multilabel: bool) -> Any:
    """Probabilities (M, N, C) for embeddings (N, D), with the moving statistics."""
    layer = 0
    while f"kernel_{layer}" in weights:
        scale = weights[f"scale_{layer}"] * ops.rsqrt(statistics[f"variance_{layer}"] + EPSILON)
        offset = weights[f"offset_{layer}"] - statistics[f"mean_{layer}"] * scale
        x = ops.relu(ops.matmul(x, weights[f"kernel_{layer}"]) * scale + offset)
        layer += 1
    logits = ops.matmul(x, weights["output"]) + weights["bias"]
    return ops.sigmoid(logits) if multilabel else ops.softmax(logits)


def _gradients(
    weights: Tensors,
    statistics: Tensors,
    x: Any,
    labels: Any,
    gains: list[Any],
    multilabel: bool,
) -> tuple[Tensors, Tensors]:
    """Gradients of the mean loss, and the new moving statistics."""
    clips, classes = labels.shape[1:]
    inputs, normalized, scales, new_statistics = [x], [], [], {}
    for i, gain in enumerate(gains):
        z = ops.matmul(inputs[i], weights[f"kernel_{i}"])
        mean = ops.mean(z, axis=1, keepdims=True)
        centred = z - mean
        variance = ops.mean(centred * centred, axis=1, keepdims=True)
        scale = ops.rsqrt(variance + EPSILON)
        normalized.append(centred * scale)
        scales.append(scale)
        y = normalized[i] * weights[f"scale_{i}"] + weights[f"offset_{i}"]
        inputs.append(ops.relu(y * gain))
        unbiased = variance * (clips / (clips - 1))
        new_statistics[f"mean_{i}"] = _moved(statistics[f"mean_{i}"], mean)
        new_statistics[f"variance_{i}"] = _moved(statistics[f"variance_{i}"], unbiased)
    h = inputs.pop()
    logits = ops.matmul(h, weights["output"]) + weights["bias"]
    if multilabel:
        d_logits = (ops.sigmoid(logits) - labels) / (clips * classes)
    else:
        d_logits = (ops.softmax(logits) - labels) / clips
    gradients = {
        "output": ops.matmul(_transposed(h), d_logits),
        "bias": ops.sum(d_logits, axis=1, keepdims=True),
    }
    d_h = ops.matmul(d_logits, _transposed(weights["output"]))
    for i in reversed(range(len(gains))):
        d_y = ops.where(h > 0, d_h * gains[i], 0.0)
        d_scale = ops.sum(d_y * normalized[i], axis=1, keepdims=True)
        d_offset = ops.sum(d_y, axis=1, keepdims=True)
        # dL/dz: what the mean and the variance of the batch take away has no gradient.
        without = d_y - d_offset / clips - normalized[i] * (d_scale / clips)
        d_z = without * (scales[i] * weights[f"scale_{i}"])
        gradients[f"kernel_{i}"] = ops.matmul(_transposed(inputs[i]), d_z)
        gradients[f"scale_{i}"], gradients[f"offset_{i}"] = d_scale, d_offset
        if i:
            h, d_h = inputs[i], ops.matmul(d_z, _transposed(weights[f"kernel_{i}"]))
    return gradients, new_statistics


def _moved(old: Any, new: Any) -> Any:
    return (1.0 - MOMENTUM) * old + MOMENTUM * new


def _transposed(matrices: Any) -> Any:
    return ops.swapaxes(matrices, -1, -2)
