from collections.abc import Sequence

import numpy as np

from keras_axlstm.audio import AudioFileError, normalize_log_mel
from keras_axlstm.audio.normalize import STD_OFFSET
from keras_axlstm.data.global_order import GlobalOrder
from keras_axlstm.data.sources import ClipSource
from keras_axlstm.data.sources.clip import Clip


class CropReader:
    """Random crops of log-mel spectrograms by their positions in the global order.

    Args:
        source: the clips.
        order: which clip, and which place in it, belongs to a position.
        num_frames: frames of a crop. A shorter clip is repeated.
        normalization: see `normalize_log_mel`. With the statistics of the whole clip.
        mean: see `normalize_log_mel`.
        std: see `normalize_log_mel`.
        dynamic_range: see `normalize_log_mel`. With one, the clip is read whole for each crop.
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
        dynamic_range: float | None,
    ) -> None:
        self.source = source
        self._order = order
        self._num_frames = num_frames
        self._normalization = (normalization, mean, std)
        self._dynamic_range = dynamic_range

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, list[AudioFileError]]:
        """The crops at some positions.

        A clip that cannot be read is replaced by the next one that can. Its error is returned, not
        raised, so that it travels from a worker process to the one that reports it and does not end
        the run.

        Returns:
            float32 `(positions, num_frames, num_bands)`, and the errors. If there is no readable
            clip at all, no crops, and an error for each clip.
        """
        crops = np.empty((len(positions), self._num_frames, self.source.num_bands), "float32")
        errors: list[AudioFileError] = []
        for row, position in enumerate(positions):
            crop = self._read_one(position, errors)
            if crop is None:
                return crops[:0], errors
            crops[row] = crop
        return crops, errors

    def first_choice(self, position: int) -> int:
        """The clip of a position, if it can be read."""
        return next(self._order.clips(position))

    def crop(self, position: int, clip: Clip) -> np.ndarray:
        """The crop of a clip that belongs to a position, float32 `(num_frames, num_bands)`."""
        num_frames = self._num_frames
        # As many places as the clip has when it is repeated to at least `num_frames`.
        repeated = -(-num_frames // clip.num_frames) * clip.num_frames
        start = self._order.draw(position, repeated - num_frames + 1)
        normalization, mean, std = self._normalization
        if normalization == "clip" and self._dynamic_range is not None:
            # The statistics kept with a clip are those of all its range.
            whole = clip.read(0, clip.num_frames)
            whole = normalize_log_mel(whole, dynamic_range=self._dynamic_range)
            return whole.take(np.arange(start, start + num_frames), axis=0, mode="wrap")
        crop = clip.crop(start, num_frames)
        if normalization == "clip":
            return normalize_log_mel(crop, "dataset", clip.mean, clip.std + STD_OFFSET)
        return normalize_log_mel(crop, normalization, mean, std)

    def _read_one(self, position: int, errors: list[AudioFileError]) -> np.ndarray | None:
        for index in self._order.clips(position):
            try:
                return self.crop(position, self.source[index])
            except AudioFileError as error:
                errors.append(error)
        return None
