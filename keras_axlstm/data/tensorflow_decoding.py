"""Decoding and resampling audio in a TensorFlow graph, with tensorflow-io."""

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

# What a file holds, by what soundfile says of it; the place in the tuple is its number in the
# graph. tensorflow-io must be told, and refuses a file that holds something else.
_KINDS = (
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("MP3", "MPEG_LAYER_III"),
)
_DTYPES = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32", "FLOAT": "float32"}
# Taps of the filter of tensorflow-io's resampler (that of Speex, quality 4) at the lower rate.
_TAPS = 64


def audio_layout(path: str | os.PathLike[str], start: float, end: float | None) -> Any:
    """Where and what the samples of a clip are: the file, and int64 `(5,)`.

    The numbers are kind, rate in Hz, samples of the file, first sample, one after the last.

    Raises:
        Exception: the file cannot be read, or its kind is unknown to the graph.
    """
    import soundfile

    info = soundfile.info(os.fspath(path))
    stop = info.frames if end is None else min(info.frames, round(end * info.samplerate))
    kind = _KINDS.index((info.format, info.subtype))
    numbers = [kind, info.samplerate, info.frames, round(start * info.samplerate), stop]
    return os.fsencode(path), np.array(numbers, "int64")


def decode_in_graph(
    audio_io: Any, layout: Callable[..., Any], position: Any, sampling_rate: int
) -> Any:
    """The samples of the clip at a position, mono, at a rate.

    Args:
        audio_io: the module `tensorflow_io.audio`.
        layout: gives `audio_layout` of a position; called from the graph.
        position: scalar tensor.
        sampling_rate: rate in Hz of the result.

    Returns:
        Tensor float32 `(samples,)`. Computing it fails if the file is damaged in any way.
    """
    import tensorflow as tf

    path, numbers = tf.numpy_function(layout, [position], ("string", "int64"), stateful=False)
    numbers = tf.ensure_shape(numbers, (5,))
    kind, rate, frames, start, stop = tf.unstack(numbers)
    contents = tf.io.read_file(path)
    decoders = [_decoder(audio_io, contents, *names) for names in _KINDS]
    samples = tf.switch_case(tf.cast(kind, "int32"), decoders)
    # The length of an mp3 is only an estimate.
    exact = kind != len(_KINDS) - 1
    length = tf.shape(samples, "int64")[0]
    checks = [
        tf.debugging.Assert(tf.logical_or(~exact, length == frames), [path]),
        tf.debugging.Assert(start < tf.minimum(stop, length), [path]),
    ]
    with tf.control_dependencies(checks):
        waveform = tf.reduce_mean(samples[start:stop], axis=1)
    waveform = tf.debugging.check_numerics(waveform, "NaN or infinity")
    return tf.cond(
        rate == sampling_rate,
        lambda: waveform,
        lambda: _resample(audio_io, waveform, rate, sampling_rate),
    )


def _decoder(audio_io: Any, contents: Any, container: str, subtype: str) -> Callable[[], Any]:
    """A function that decodes to float32 `(samples, channels)`."""
    import tensorflow as tf

    def decode() -> Any:
        if container == "OGG":
            return audio_io.decode_vorbis(contents)
        if container == "MP3":
            return audio_io.decode_mp3(contents)
        function = audio_io.decode_wav if container == "WAV" else audio_io.decode_flac
        samples = function(contents, dtype=_DTYPES[subtype])
        if subtype == "FLOAT":
            return samples
        full_scale = 2.0 ** (15 if subtype == "PCM_16" else 31)
        return tf.cast(samples, "float32") / full_scale

    return decode


def _resample(audio_io: Any, waveform: Any, rate: Any, sampling_rate: int) -> Any:
    """Resample, without the delay of the filter and with the end that the delay would cut off."""
    import tensorflow as tf

    def paddings(rate_array: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Zeros before and after the samples, samples to drop, samples to keep."""
        rate = int(rate_array)
        taps = _TAPS
        if rate > sampling_rate:
            # As Speex rounds it.
            taps = ((_TAPS * rate // sampling_rate - 1) & ~7) + 8
        delay = taps // 2
        # So much that the delay is a whole number of samples at the new rate, too.
        step = rate // math.gcd(rate, sampling_rate)
        before = -delay % step
        drop = (before + delay) * sampling_rate // rate
        keep = max(1, math.floor(int(length) * sampling_rate / rate + 0.5))
        return np.array([before, delay + step, drop, keep], "int64")

    numbers = tf.numpy_function(
        paddings, [rate, tf.size(waveform, "int64")], "int64", stateful=False
    )
    before, after, drop, keep = tf.unstack(tf.ensure_shape(numbers, (4,)))
    padded = tf.pad(waveform, [[before, after]])[:, tf.newaxis]
    resampled = audio_io.resample(padded, rate, tf.constant(sampling_rate, "int64"))
    return tf.ensure_shape(resampled[drop : drop + keep, 0], (None,))
