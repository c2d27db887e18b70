import inspect
from typing import Any

import numpy as np

from keras_axlstm.audio import log_mel_spectrogram


def log_mel_settings(sampling_rate: int, log_mel: dict[str, Any]) -> dict[str, Any]:
    """All arguments of `log_mel_spectrogram` but the waveform, defaults filled in.

    Raises:
        ValueError: one of them is bad.
        TypeError: there is no such argument.
    """
    log_mel_spectrogram(np.zeros(1), sampling_rate=sampling_rate, **log_mel)
    bound = inspect.signature(log_mel_spectrogram).bind(
        None, sampling_rate=sampling_rate, **log_mel
    )
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "waveform"}
