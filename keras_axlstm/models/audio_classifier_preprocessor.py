import os

import keras
import keras_hub
import numpy as np
from keras.src.utils.backend_utils import DynamicBackend
from keras_hub.src.utils.tensor_utils import (
    convert_preprocessing_outputs_python,
    convert_to_numpy,
    in_tf_function,
    no_convert_scope,
)

from keras_axlstm.audio import read_audio
from keras_axlstm.embedding.pieces import padded_length
from keras_axlstm.models.log_mel_audio_converter import LogMelAudioConverter

# The shortest of the lengths to which clips of unequal length are padded.
SHORTEST_FRAMES = 50


class AudioClassifierPreprocessor(keras_hub.models.Preprocessor):
    """Base of the preprocessors of `AudioClassifier`: clips in, padded log-mel spectrograms out.

    Clips of unequal length are padded with zeros to the length of the longest, rounded up to one
    of a few lengths, so that few different shapes have to be compiled.

    Args:
        audio_converter: an `AxLSTMAudioConverter` or `SSASTAudioConverter`.

    Call arguments:
        x: one clip, a path or a waveform `(samples,)`; or a batch, `(clips, samples)` or a list of
            paths or of waveforms of any lengths. Waveforms have the converter's sampling rate. In
            a `tf.data` pipeline waveforms `(samples,)` or `(clips, samples)` only.
        y: labels, passed through.
        sample_weight: passed through.

    Returns:
        A dict of `"spectrogram"`, float32 `(clips, frames, bands)`, and `"mask"`, boolean
        `(clips, frames)`, True where a frame is real; without the first axis for one clip.
        With `y` a tuple of the dict and what was passed through.

    Raises:
        AudioFileError: a file that cannot be read; a `ValueError`.
        ValueError: a waveform that is empty, not mono, of a wrong dtype or not finite.
    """

    def __init__(self, audio_converter, **kwargs):
        if not isinstance(audio_converter, LogMelAudioConverter):
            raise ValueError(
                "`audio_converter` must be an AxLSTMAudioConverter or SSASTAudioConverter. "
                f"Received: {audio_converter!r}"
            )
        super().__init__(**kwargs)
        self.audio_converter = audio_converter
        self.built = True

    def call(self, x, y=None, sample_weight=None):
        if in_tf_function():
            inputs = self._convert_in_tensorflow_graph(x)
        else:
            inputs = convert_preprocessing_outputs_python(self._convert_in_numpy(x))
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)

    def _convert_in_numpy(self, x):
        if _is_one_clip(x):
            spectrogram = self._convert_clip(x)
            return {"spectrogram": spectrogram, "mask": np.ones(len(spectrogram), bool)}
        spectrograms = [self._convert_clip(clip) for clip in x]
        if not spectrograms:
            raise ValueError("A batch must hold at least one clip. Received: none")
        lengths = [len(spectrogram) for spectrogram in spectrograms]
        frames = max(lengths)
        if min(lengths) < frames:
            frames = padded_length(frames, SHORTEST_FRAMES)
        bands = self.audio_converter.num_mel_bins
        batch = np.zeros((len(lengths), frames, bands), "float32")
        for row, spectrogram in zip(batch, spectrograms, strict=True):
            row[: len(spectrogram)] = spectrogram
        return {"spectrogram": batch, "mask": np.arange(frames) < np.array(lengths)[:, None]}

    def _convert_clip(self, clip):
        if isinstance(clip, (str, os.PathLike)):
            clip = read_audio(clip, self.audio_converter.sampling_rate)
        clip = convert_to_numpy(clip)
        if clip.ndim != 1:
            raise ValueError(
                "A clip must be a path or a waveform `(samples,)`. "
                f"Received: an array of shape {clip.shape}"
            )
        with no_convert_scope():
            return self.audio_converter(clip)

    def _convert_in_tensorflow_graph(self, x):
        if not hasattr(x, "dtype") or not x.dtype.is_floating:
            raise ValueError(
                "A `tf.data` pipeline must give waveforms of floating point. Received: "
                f"{getattr(x, 'dtype', type(x))}. Give paths to `fit` and `predict` as a list."
            )
        spectrogram = self.audio_converter(x)
        backend = DynamicBackend("tensorflow")
        mask = backend.numpy.ones_like(spectrogram[..., 0], dtype="bool")
        return {"spectrogram": spectrogram, "mask": mask}

    @classmethod
    def _add_missing_kwargs(cls, loader, kwargs):
        try:
            return super()._add_missing_kwargs(loader, kwargs)
        except FileNotFoundError:
            # A preset of an encoder alone: the front end that `AudioEmbedder` takes then.
            bands = loader.config["config"]["spectrogram_shape"][1]
            return {**kwargs, "audio_converter": cls.audio_converter_cls(num_mel_bins=bands)}


def _is_one_clip(x):
    if isinstance(x, (str, os.PathLike)):
        return True
    if isinstance(x, (list, tuple)):
        return len(x) > 0 and np.isscalar(x[0]) and not isinstance(x[0], str)
    return len(x.shape) == 1 and not _holds_clips(x)


def _holds_clips(x):
    """Whether an array of one axis holds paths or waveforms, and not samples."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "UO"
