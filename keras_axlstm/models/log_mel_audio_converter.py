import keras_hub
import numpy as np
from keras.src.utils.backend_utils import DynamicBackend
from keras_hub.src.utils.tensor_utils import (
    convert_preprocessing_outputs_python,
    convert_to_numpy,
    in_tf_function,
)

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel, validate_waveform
from keras_axlstm.audio.normalize import STD_OFFSET, in_log_mel, validate_normalization
from keras_axlstm.layers.log_mel_spectrogram import LogMelSpectrogram

# No common recording has more channels; no clip has as few samples.
MOST_CHANNELS = 8


class LogMelAudioConverter(keras_hub.layers.AudioConverter):
    """Base of the audio converters: waveform in, normalised log-mel spectrogram out.

    Runs in NumPy, also in a grain pipeline, and needs no TensorFlow there. In a `tf.data` pipeline
    it is the same in TensorFlow.

    Args:
        sampling_rate: int. Rate of the waveforms in Hz. They are not resampled.
        num_mel_bins: int. Number of bands.
        window_length: int. Samples of a frame, even.
        hop_length: int. Samples from one frame to the next.
        min_frequency: float. Lower edge of the lowest band in Hz.
        max_frequency: float. Upper edge of the highest band in Hz.
        normalization: `"none"`; `"clip"`: each clip by its own mean and standard deviation;
            `"dataset"`: by the fixed `mean` and `std`.
        mean: float or None. Mean of the data set's log-mel values.
        std: float or None. Their standard deviation.
        dynamic_range: float or None. For `"clip"`: decibels below the loudest value to which
            softer ones are raised first; see `keras_axlstm.audio.normalize_log_mel`.

    Call arguments:
        audio: one clip `(samples,)` or a batch `(clips, samples)`, mono, floating point in [-1, 1];
            outside a `tf.data` pipeline also integer PCM (int16, int32, uint8).

    Returns:
        float32 `(frames, num_mel_bins)` or `(clips, frames, num_mel_bins)`.

    Raises:
        ValueError: a bad argument; audio of wrong rank or dtype, without samples, that looks like
            `(samples, channels)`, or (outside a `tf.data` pipeline) with NaN or infinite samples.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.models import AxLSTMAudioConverter

    AxLSTMAudioConverter()(np.zeros((2, 32000), "float32"))  # (2, 201, 80)
    ```
    """

    def __init__(
        self,
        sampling_rate=16000,
        num_mel_bins=80,
        window_length=400,
        hop_length=160,
        min_frequency=50.0,
        max_frequency=8000.0,
        normalization="clip",
        mean=None,
        std=None,
        dynamic_range=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        validate_normalization(normalization, mean, std, dynamic_range)
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.window_length = window_length
        self.hop_length = hop_length
        self.min_frequency = min_frequency
        self.max_frequency = max_frequency
        self.normalization = normalization
        self.mean = None if mean is None else float(mean)
        self.std = None if std is None else float(std)
        self.dynamic_range = None if dynamic_range is None else float(dynamic_range)
        self._log_mel = LogMelSpectrogram(**self._log_mel_config())
        self.built = True

    def audio_shape(self):
        """`(frames, bands)` of a converted clip, `None` = any."""
        return (None, self.num_mel_bins)

    def call(self, audio):
        if in_tf_function():
            return self._convert_in_tensorflow_graph(audio)
        return convert_preprocessing_outputs_python(self._convert_in_numpy(audio))

    def _convert_in_numpy(self, audio):
        try:
            audio = convert_to_numpy(audio)
        except ValueError as error:
            raise ValueError(
                "`audio` must be one array. Received: clips of unequal lengths, or no numbers. "
                "Convert such clips one by one."
            ) from error
        _check_shape(audio.shape)
        if audio.ndim == 1:
            return self._convert_clip(audio, "audio")
        return np.stack([self._convert_clip(row, f"audio[{i}]") for i, row in enumerate(audio)])

    def _convert_clip(self, clip, name):
        log_mel = log_mel_spectrogram(validate_waveform(clip, name), **self._log_mel_config())
        return normalize_log_mel(
            log_mel, self.normalization, self.mean, self.std, self.dynamic_range
        )

    def _convert_in_tensorflow_graph(self, audio):
        _check_shape(tuple(audio.shape))
        if len(audio.shape) == 1:
            return self._convert_in_tensorflow_graph(audio[None])[0]
        log_mel = self._log_mel(audio)
        backend = DynamicBackend("tensorflow")
        if self.normalization == "none":
            return log_mel
        # As `normalize_log_mel`, and in float64 for the same reason.
        log_mel = backend.cast(log_mel, "float64")
        if self.normalization == "clip":
            if self.dynamic_range is not None:
                loudest = backend.numpy.max(log_mel, axis=(1, 2), keepdims=True)
                log_mel = backend.numpy.maximum(log_mel, loudest - in_log_mel(self.dynamic_range))
            mean = backend.numpy.mean(log_mel, axis=(1, 2), keepdims=True)
            std = backend.numpy.std(log_mel, axis=(1, 2), keepdims=True) + STD_OFFSET
        else:
            mean, std = self.mean, self.std
        return backend.cast((log_mel - mean) / std, "float32")

    def _log_mel_config(self):
        return {
            "sampling_rate": self.sampling_rate,
            "num_mel_bins": self.num_mel_bins,
            "window_length": self.window_length,
            "hop_length": self.hop_length,
            "min_frequency": self.min_frequency,
            "max_frequency": self.max_frequency,
        }

    def get_config(self):
        return (
            super().get_config()
            | self._log_mel_config()
            | {"normalization": self.normalization, "mean": self.mean, "std": self.std}
            | {"dynamic_range": self.dynamic_range}
        )


def _check_shape(shape):
    if len(shape) not in (1, 2) or 0 in shape:
        raise ValueError(
            "`audio` must be one clip `(samples,)` or a batch `(clips, samples)`, of at least one "
            f"sample. Received: shape {shape}"
        )
    if None in shape or len(shape) == 1:
        return
    if shape[1] <= MOST_CHANNELS < shape[0]:
        raise ValueError(
            f"`audio` must be a batch `(clips, samples)`. Received: shape {shape}, which looks "
            "like `(samples, channels)`. Mix the channels down first with `.mean(axis=1)`."
        )
