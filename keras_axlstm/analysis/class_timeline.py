import os
from typing import NamedTuple

import numpy as np

from keras_axlstm.embedding.waveforms import load_waveforms
from keras_axlstm.models.audio_classifier import AudioClassifier


class ClassTimeline(NamedTuple):
    """Class scores along a clip.

    Attributes:
        times_ms: `(windows,)`, the middle of every window.
        scores: `(windows, num_classes)`.
        class_names: the classes, in the order of the columns.
    """

    times_ms: np.ndarray
    scores: np.ndarray
    class_names: list[str]


def class_timeline(
    classifier: AudioClassifier,
    audio: str | os.PathLike | np.ndarray,
    sampling_rate: int = 16000,
    window_seconds: float = 1.0,
    hop_seconds: float = 0.25,
    batch_size: int | None = None,
) -> ClassTimeline:
    """Scores of a classifier in a window that moves along a clip.

    Every window is scored as a clip of its own. A clip shorter than a window is one window; of a
    longer one, what is left of a hop at its end belongs to a last window that ends with it.

    Args:
        classifier: an `AudioClassifier` with a preprocessor.
        audio: a path or a waveform `(samples,)`.
        sampling_rate: rate of a waveform in Hz; a file carries its own.
        window_seconds: length of a window.
        hop_seconds: from one window to the next.
        batch_size: windows that are scored together; default 32.

    Returns:
        A `ClassTimeline`, for `keras_axlstm.plots.plot_class_timeline`.

    Raises:
        ValueError: a window or hop that is not positive, more than one clip, or audio that is
            empty, not finite or unreadable.

    Example:

    ```python
    import keras_axlstm
    from keras_axlstm.analysis import class_timeline

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    classifier = keras_axlstm.AudioClassifier(
        encoder, class_names=["music", "speech"],
        preprocessor=keras_axlstm.models.AxLSTMAudioClassifierPreprocessor(
            keras_axlstm.AxLSTMAudioConverter()
        ),
    )
    class_timeline(classifier, "examples/audio/melody.flac").scores.shape  # (22, 2)
    ```
    """
    if not (window_seconds > 0 and hop_seconds > 0):
        raise ValueError(
            "`window_seconds` and `hop_seconds` must be positive. Received: "
            f"{window_seconds!r} and {hop_seconds!r}"
        )
    rate = classifier.preprocessor.audio_converter.sampling_rate
    waveforms, is_batch = load_waveforms(audio, sampling_rate, rate)
    if is_batch:
        raise ValueError(
            f"`audio` must be one clip. Received: a batch of {len(waveforms)}. Call it once a clip"
        )
    (waveform,) = waveforms
    window = min(max(1, round(window_seconds * rate)), waveform.size)
    last, hop = waveform.size - window, max(1, round(hop_seconds * rate))
    starts = [*range(0, last, hop), last]
    scores = classifier.predict(
        [waveform[start : start + window] for start in starts], batch_size=batch_size, verbose=0
    )
    times_ms = 1000.0 * (np.array(starts) + window / 2) / rate
    return ClassTimeline(times_ms, scores, list(classifier.class_names))
