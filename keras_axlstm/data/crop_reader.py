from collections.abc import Sequence

import numpy as np

from keras_axlstm.audio import AudioFileError, normalize_log_mel
from keras_axlstm.audio.normalize import STD_OFFSET
from keras_axlstm.data.global_order import GlobalOrder
from keras_axlstm.data.sources import ClipSource


class CropReader:
    """Random crops of log-mel spectrograms by their positions in the global order.

    Args:
        source: the clips.
        order: which clip, and which place in it, belongs to a position.
        num_frames: frames of a crop. A shorter clip is repeated.
        normalization: see `normalize_log_mel`. With the statistics of the whole clip.
        mean: see `normalize_log_mel`.
        std: see `normalize_log_mel`.
    """

    def __init__(
        self,
        source: ClipSource,
        order: GlobalOrder,
        *,
        num_frames: int,
        normalization: str,
        mean: float | None,
        std: float | None,
    ) -> None:
        self._source = source
        self._order = order
        self._shape = (num_frames, source.num_bands)
        self._normalization = (normalization, mean, std)

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, list[AudioFileError]]:
        """The crops at some positions.

        A clip that cannot be read is replaced by the next one that can. Its error is returned, not
        raised, so that it travels from a worker process to the one that reports it and does not end
        the run.

        Returns:
            float32 `(positions, num_frames, num_bands)`, and the errors. If there is no readable
            clip at all, no crops, and an error for each clip.
        """
        crops = np.empty((len(positions), *self._shape), "float32")
        errors: list[AudioFileError] = []
        for row, position in enumerate(positions):
            crop = self._read_one(position, errors)
            if crop is None:
                return crops[:0], errors
            crops[row] = crop
        return crops, errors

    def _read_one(self, position: int, errors: list[AudioFileError]) -> np.ndarray | None:
        num_frames = self._shape[0]
        for index in self._order.clips(position):
            try:
                clip = self._source[index]
                # As many places as the clip has when it is repeated to at least `num_frames`.
                repeated = -(-num_frames // clip.num_frames) * clip.num_frames
                start = self._order.draw(position, repeated - num_frames + 1)
                crop = clip.crop(start, num_frames)
            except AudioFileError as error:
                errors.append(error)
                continue
            normalization, mean, std = self._normalization
            if normalization == "clip":
                return normalize_log_mel(crop, "dataset", clip.mean, clip.std + STD_OFFSET)
            return normalize_log_mel(crop, normalization, mean, std)
        return None
