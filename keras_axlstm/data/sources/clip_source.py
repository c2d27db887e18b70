import abc
from typing import Any

from keras_axlstm.audio import AudioFileError
from keras_axlstm.data.sources.clip import Clip


class ClipSource(abc.ABC):
    """Clips by index, in an order that does not change. Can be pickled.

    Args:
        num_bands: bands of the spectrograms.
    """

    def __init__(self, num_bands: int) -> None:
        self.num_bands = num_bands

    @abc.abstractmethod
    def __len__(self) -> int:
        """Number of clips, unreadable ones included."""

    @abc.abstractmethod
    def __getitem__(self, index: int) -> Clip:
        """The log-mel spectrogram of a clip.

        Raises:
            AudioFileError: the clip cannot be read.
        """

    @abc.abstractmethod
    def name(self, index: int) -> Any:
        """What the clip is called in reports: its path, or a name of its own."""

    def metadata(self, index: int) -> dict[str, Any]:
        """What the source knows of the clip beside its sound, such as labels."""
        return {}

    def find_unreadable(self) -> list[AudioFileError]:
        """Clips that a look at the headers shows to be unreadable."""
        return []
