"""Log-mel frames of a waveform that comes in parts."""

import numpy as np

from keras_axlstm.audio.log_mel import hann_window, log_mel_frames, mel_filter_bank


class LogMelStream:
    """The frames of `log_mel_spectrogram`, each as soon as its last sample is there.

    Frame t is centred on sample `t * hop_length`, so it waits for half a window after that. The
    first frames reach back before the first sample and the last ones beyond the last: both ends
    are reflected, for which the last `window_length / 2 + 1` samples are always kept.

    Args:
        sampling_rate, num_mel_bins, window_length, hop_length, min_frequency, max_frequency: as of
            `keras_axlstm.audio.log_mel_spectrogram`.
    """

    def __init__(
        self,
        *,
        sampling_rate: int,
        num_mel_bins: int,
        window_length: int,
        hop_length: int,
        min_frequency: float,
        max_frequency: float,
    ):
        self._window = hann_window(window_length)
        self._filters = mel_filter_bank(
            sampling_rate, num_mel_bins, window_length, min_frequency, max_frequency
        )
        self._hop = hop_length
        self._half = window_length // 2
        self._samples = np.zeros(0, "float32")
        # Where the next frame starts in the samples; None while these are too few to be reflected.
        self._next: int | None = None

    def push(self, samples: np.ndarray) -> np.ndarray:
        """The frames `(frames, bands)` that `samples` `(samples,)` complete."""
        self._samples = np.concatenate([self._samples, samples])
        if self._next is None:
            if self._samples.size <= self._half:
                return self._frames(0, 0)
            self._samples = np.concatenate([self._samples[self._half : 0 : -1], self._samples])
            self._next = 0
        count = self._complete(self._next)
        frames = self._frames(self._next, count)
        self._next += count * self._hop
        dropped = min(self._next, self._samples.size - self._half - 1)
        self._samples = self._samples[dropped:]
        self._next -= dropped
        return frames

    def finish(self) -> np.ndarray:
        """The frames that reach beyond the end; of at least `window_length` samples in all."""
        start = self._next or 0
        self._samples = np.concatenate([self._samples, self._samples[-2 : -self._half - 2 : -1]])
        return self._frames(start, self._complete(start))

    def _complete(self, start: int) -> int:
        """How many frames from `start` on are whole."""
        return max(0, (self._samples.size - start - 2 * self._half) // self._hop + 1)

    def _frames(self, start: int, count: int) -> np.ndarray:
        if not count:
            return np.zeros((0, self._filters.shape[1]), "float32")
        stretches = np.lib.stride_tricks.sliding_window_view(self._samples[start:], 2 * self._half)[
            :: self._hop
        ]
        return log_mel_frames(stretches[:count], self._window, self._filters)
