import numpy as np

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.evaluation.models.identity import identity_of
from keras_axlstm.evaluation.models.slaney_mel import slaney_mel_filters

SAMPLING_RATE = 44100
WINDOW_LENGTH = 4096
BANDS = 256
EMBEDDING_DIM = 4096
LOG_OFFSET = 1e-4
FRAME_HOP = 2205  # 50 ms
SCENE_HOP = 11025  # 250 ms
SEED = 0


class HearNaiveModel(EvaluationModel):
    """The naive baseline of HEAR 2021: a log-mel spectrum times fixed random numbers.

    At 44.1 kHz: power of the Fourier transform of 4096 samples under a periodic Hann window,
    centred on multiples of 50 ms (of 250 ms for scenes) with zeros beyond the ends; 256 Slaney mel
    bands, normalised by area; the logarithm of power + 1e-4; times a matrix of uniform numbers in
    [0, 1 / 16). A scene is the mean of its frames. The matrix is drawn by NumPy, so that it is not
    the very one of the package `hearbaseline`, which draws it with PyTorch.

    As no number is negative, nearly all that differs between two clips is their loudness: on tones
    of random level (the generated task `pitch`) the second principal component has a fiftieth of
    the deviation of the first, and a probe finds next to nothing but the first. It is as near to
    chance there with the embeddings of `hearbaseline` 2021.1.1.
    """

    def __init__(self) -> None:
        generator = np.random.default_rng(SEED)
        self._projection = generator.uniform(0, BANDS**-0.5, (BANDS, EMBEDDING_DIM))
        self._filters = slaney_mel_filters(SAMPLING_RATE, WINDOW_LENGTH, BANDS)
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_LENGTH) / WINDOW_LENGTH)
        settings = {"kind": "hear-naive", "hops": (FRAME_HOP, SCENE_HOP), "offset": LOG_OFFSET}
        identity = identity_of(settings, (self._projection, self._filters))
        super().__init__("hear-naive", identity, EMBEDDING_DIM)

    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        # The projection is linear: that of the mean is the mean of the projections.
        means = [self._log_mel(clip, SCENE_HOP).mean(axis=0) for clip in clips]
        return np.stack(means) @ self._projection

    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        frames = [self._log_mel(clip, FRAME_HOP) @ self._projection for clip in clips]
        milliseconds = 1000.0 * FRAME_HOP / SAMPLING_RATE
        return [(clip, milliseconds * np.arange(len(clip))) for clip in frames]

    def _log_mel(self, clip: np.ndarray, hop: int) -> np.ndarray:
        """`(frames, bands)` float64."""
        padded = np.pad(resample(clip, self.sampling_rate, SAMPLING_RATE), WINDOW_LENGTH // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_LENGTH)[::hop]
        power = np.abs(np.fft.rfft(frames * self._window)) ** 2
        return np.log(power @ self._filters + LOG_OFFSET)
