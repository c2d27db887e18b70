import keras
from keras import ops

from keras_axlstm.audio.normalize import STD_OFFSET, in_log_mel
from keras_axlstm.export.formats import KINDS
from keras_axlstm.layers import LogMelSpectrogram
from keras_axlstm.models import AudioClassifier, AudioEmbedder


class WaveformModel(keras.Model):
    """Waveforms to embeddings or scores in one graph: what every exported file computes.

    The numbers of `AudioEmbedder.embed`, `AudioEmbedder.embed_timestamps` or
    `AudioClassifier.predict` for waveforms at the sampling rate of the model, within 1e-3, of
    operations that all runtimes have. float32, whatever the policy of the model.

    Args:
        model: an `AudioEmbedder`, for `"scene"` and `"timestamps"`, or an `AudioClassifier`, for
            `"scores"`.
        kind: `"scene"`: one vector a clip. `"timestamps"`: one a frame. `"scores"`: one number a
            class.

    Call arguments:
        waveform: float32 `(clips, samples)` in [-1, 1], at least one sample.

    Returns:
        float32 `(clips, d)`, `(clips, frames, d)` or `(clips, num_classes)`.

    Raises:
        ValueError: a kind that the model does not have, or a quantized model.

    Example:

    ```python
    import numpy as np
    import keras_axlstm
    from keras_axlstm.export import WaveformModel

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    model = WaveformModel(keras_axlstm.AudioEmbedder(encoder), "timestamps")
    model(np.zeros((2, 40000), "float32")).shape  # (2, 63, 960)
    ```
    """

    def __init__(self, model, kind="scene"):
        super().__init__(name="waveform_model", dtype="float32")
        check_kind(model, kind)
        if isinstance(model, AudioClassifier):
            front_end, encoder = model.preprocessor.audio_converter, model.backbone
            self.sampling_rate = front_end.sampling_rate
            log_mel = front_end._log_mel_config()
            self.reads_windows = False
            self.frame_order = "time"
            self.pooler = _in_float32(model.pooler)
            self.predictions = model.output_dense
        else:
            front_end, encoder = model, model.encoder
            self.sampling_rate = model.sampling_rate
            log_mel = model.log_mel
            self.reads_windows = not model.one_pass
            self.frame_order = model.frame_order
        self.kind = kind
        self.normalization, self.mean, self.std = (
            front_end.normalization,
            front_end.mean,
            front_end.std,
        )
        self.dynamic_range = front_end.dynamic_range
        self.log_mel = LogMelSpectrogram(**log_mel, use_fft=False)
        self.encoder = _in_float32(encoder)
        # It has no weights of its own.
        self.built = True

    def call(self, waveform):
        spectrogram = self._normalize(self.log_mel(waveform))
        if self.kind == "scores":
            return self.predictions(self.pooler(self.encoder(spectrogram)))
        frames = self._frames(spectrogram)
        return ops.mean(frames, axis=1) if self.kind == "scene" else frames

    def _normalize(self, log_mel):
        if self.normalization == "none":
            return log_mel
        if self.normalization == "dataset":
            return (log_mel - self.mean) / self.std
        if self.dynamic_range is not None:
            loudest = ops.max(log_mel, axis=(1, 2), keepdims=True)
            log_mel = ops.maximum(log_mel, loudest - in_log_mel(self.dynamic_range))
        centered = log_mel - ops.mean(log_mel, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(centered), axis=(1, 2), keepdims=True)
        return centered / (ops.sqrt(variance) + STD_OFFSET)

    def _frames(self, spectrogram):
        """Frame features `(clips, steps, d)`; the padding of the last window is dropped."""
        if not self.reads_windows:
            return self.encoder.frame_features(self.encoder(spectrogram), self.frame_order)
        clips, frames, bands = ops.shape(spectrogram)
        length, patch = self.encoder.spectrogram_shape[0], self.encoder.patch_size[0]
        windows = (frames + length - 1) // length
        padding = ops.zeros((clips, windows * length - frames, bands), "float32")
        spectrogram = ops.concatenate([spectrogram, padding], axis=1)
        # By way of four axes: `torch.export` would tie a reshape of three into three, which may
        # change nothing, to several windows.
        spectrogram = ops.reshape(spectrogram, (clips, windows, length, bands))
        sequence = self.encoder(ops.reshape(spectrogram, (-1, length, bands)))
        features = self.encoder.frame_features(sequence, self.frame_order)
        steps, channels = features.shape[1:]
        features = ops.reshape(features, (clips, windows, steps, channels))
        features = ops.reshape(features, (clips, windows * steps, channels))
        return features[:, : (frames + patch - 1) // patch]


def check_kind(model, kind):
    """Refuse a `kind` that is unknown or not one of the model's, and a quantized model."""
    if not isinstance(model, (AudioEmbedder, AudioClassifier)):
        raise ValueError(
            f"`model` must be an AudioEmbedder or an AudioClassifier. Received: {model!r}"
        )
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}. Received: {kind!r}")
    is_classifier = isinstance(model, AudioClassifier)
    if is_classifier != (kind == "scores"):
        raise ValueError(
            f"kind={kind!r} needs an {'AudioClassifier' if kind == 'scores' else 'AudioEmbedder'}. "
            f"Received: an {type(model).__name__}"
        )
    if isinstance(model, AudioClassifier) and model.preprocessor is None:
        raise ValueError("The classifier must have a preprocessor. Received: preprocessor=None")
    encoder = model.encoder if isinstance(model, AudioEmbedder) else model.backbone
    if any(getattr(layer, "quantization_mode", None) for layer in encoder._flatten_layers()):
        raise ValueError(
            "A quantized model cannot be exported: load it without `quantize`, and for weights in "
            'eight bits export with format="litert" and int8=True.'
        )


def _in_float32(layer):
    """The layer, or a copy that computes in float32."""
    if layer.dtype_policy.name == "float32":
        return layer
    copy = type(layer).from_config(layer.get_config() | {"dtype": "float32"})
    if not copy.built:
        copy.build_from_config(layer.get_build_config())
    copy.set_weights(layer.get_weights())
    return copy
