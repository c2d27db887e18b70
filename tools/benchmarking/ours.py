"""Builds what is timed of this library. Imports Keras: only for child processes."""

from typing import Any

import keras
import numpy as np

from benchmarking.backends import Backend, Thunk
from benchmarking.cases import (
    BANDS,
    EXPANSION_FACTOR,
    MLP_RATIO,
    MLSTM_HEADS,
    PATCH_SIZE,
    SIZES,
    Case,
    Work,
    spectrogram_length,
)
from keras_axlstm import AxLSTMEncoder, MaskedSpectrogramModel, SSASTEncoder, ops
from keras_axlstm.recurrence import kernels
from keras_axlstm.training import pretraining_optimizer

# So long that the learning rate of the steps timed is that of the warm-up's beginning.
STEPS_PER_EPOCH = 1000
# Larger batches of the recurrence repeat their clips: drawing takes longer than what is timed.
DRAWN_CLIPS = 16


def build(case: Case, backend: Backend) -> Thunk:
    """The run that is timed."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(case.dtype)
    if case.work.mode in ("op", "op-train"):
        return _op(case, backend)
    _choose_implementation(case.implementation)
    encoder = _encoder(case.work)
    spectrogram = keras.ops.convert_to_tensor(spectrograms(case.work))
    if case.work.mode == "forward":
        return backend.forward(encoder, spectrogram, case.compiled)
    model = MaskedSpectrogramModel(encoder, seed=0)
    optimizer = pretraining_optimizer(STEPS_PER_EPOCH, batch_size=case.work.batch)
    model.compile(optimizer, jit_compile=True if case.compiled else "auto")
    return lambda: model.train_on_batch(spectrogram)


def spectrograms(work: Work) -> np.ndarray:
    """A batch `(batch, time, bands)` of noise, float32."""
    shape = (work.batch, spectrogram_length(work.steps), BANDS)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def op_inputs(work: Work) -> tuple[list[np.ndarray], np.ndarray]:
    """Query, key, value and gates of the recurrence, and the gradient of its output; float32."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        clip = (work.steps, MLSTM_HEADS, *shape)
        drawn = rng.standard_normal((min(work.batch, DRAWN_CLIPS), *clip), dtype="float32")
        return np.resize(drawn, (work.batch, *clip))

    head_dim = SIZES[work.size].head_dim
    query, key, value, cotangent = (normal(head_dim) for _ in range(4))
    input_gate, forget_gate = normal(), normal()
    return [query, key, value, input_gate, forget_gate + 4], cotangent


def _encoder(work: Work) -> Any:
    size = SIZES[work.size]
    options = {
        "spectrogram_shape": (spectrogram_length(work.steps), BANDS),
        "patch_size": PATCH_SIZE,
        "hidden_dim": size.hidden_dim,
        "num_layers": size.num_layers,
    }
    if work.model == "ssast":
        return SSASTEncoder(num_heads=size.attention_heads, mlp_ratio=MLP_RATIO, **options)
    # The authors' code always flips every second block.
    return AxLSTMEncoder(
        num_heads=MLSTM_HEADS, expansion_factor=EXPANSION_FACTOR, flip=True, **options
    )


def _choose_implementation(implementation: str) -> None:
    set_implementation = getattr(kernels, "set_implementation", None)
    if set_implementation is not None:
        set_implementation(implementation)
    elif implementation != "auto":
        raise NotImplementedError(
            "this version of keras_axlstm has no keras_axlstm.recurrence.kernels."
            f"set_implementation: expected implementation 'auto', received {implementation!r}"
        )


def _op(case: Case, backend: Backend) -> Thunk:
    arrays, cotangent = op_inputs(case.work)
    dtype = keras.config.dtype_policy().compute_dtype
    tensors = [keras.ops.convert_to_tensor(x, dtype) for x in arrays[:3]]
    tensors += [keras.ops.convert_to_tensor(x) for x in arrays[3:]]
    cotangent = keras.ops.convert_to_tensor(cotangent, dtype)

    def mlstm(*inputs: Any) -> Any:
        return ops.mlstm(*inputs, form=case.form, implementation=case.implementation)

    def loss(query: Any, key: Any, value: Any, gate_i: Any, gate_f: Any, cotangent: Any) -> Any:
        h = mlstm(query, key, value, gate_i, gate_f)
        return keras.ops.sum(keras.ops.cast(h * cotangent, "float32"))

    if case.work.mode == "op":
        return backend.function(mlstm, tensors, case.compiled)
    return backend.gradient(loss, tensors, [cotangent], case.compiled)
