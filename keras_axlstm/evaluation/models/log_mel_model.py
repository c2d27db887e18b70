import numpy as np

from keras_axlstm.audio import log_mel_spectrogram
from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.evaluation.models.identity import identity_of

BANDS = 80
HOP_LENGTH = 160


class LogMelModel(EvaluationModel):
    """Statistics of the log-mel spectrogram: what a task needs no learned model for.

    A clip's embedding is the mean and the standard deviation over time of each of 80 bands, as of
    `keras_axlstm.audio.log_mel_spectrogram`. A frame's embedding is the bands themselves, every
    10 ms.
    """

    def __init__(self) -> None:
        identity = identity_of({"kind": "logmel", "bands": BANDS, "hop_length": HOP_LENGTH})
        super().__init__("logmel", identity, embedding_dim=2 * BANDS, frame_dim=BANDS)

    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        return np.stack([_statistics(self._log_mel(clip)) for clip in clips])

    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        frames = [self._log_mel(clip) for clip in clips]
        milliseconds = 1000.0 * HOP_LENGTH / self.sampling_rate
        return [(clip, milliseconds * np.arange(len(clip))) for clip in frames]

    def _log_mel(self, clip: np.ndarray) -> np.ndarray:
        return log_mel_spectrogram(
            clip, sampling_rate=self.sampling_rate, num_mel_bins=BANDS, hop_length=HOP_LENGTH
        )


def _statistics(log_mel: np.ndarray) -> np.ndarray:
    values = log_mel.astype("float64")
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])
