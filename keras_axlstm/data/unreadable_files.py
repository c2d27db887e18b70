import warnings
from collections.abc import Sequence
from typing import Any

from keras_axlstm.audio import AudioFileError

_REASONS_SHOWN = 10


class UnreadableFiles:
    """The clips of a data set that turned out to be unreadable, each reported once.

    Args:
        num_clips: clips in the data set.
        report: gets a pair `(path, reason)` of every unreadable clip.
    """

    def __init__(self, num_clips: int, report: list[tuple[Any, str]]) -> None:
        self._num_clips = num_clips
        self._report = report
        self._reasons: dict[str, str] = {}

    def add(self, errors: Sequence[AudioFileError], none_left: bool = False) -> None:
        """Report clips that were not reported before, in one warning.

        Args:
            errors: what is wrong with them.
            none_left: there is no readable clip.

        Raises:
            ValueError: no readable clip is left.
        """
        new = {str(error.path): error for error in errors if str(error.path) not in self._reasons}
        self._reasons |= {path: str(error) for path, error in new.items()}
        self._report.extend((error.path, str(error)) for error in new.values())
        if none_left:
            raise ValueError(
                f"None of the {self._num_clips} clips can be read.\n"
                + _list_reasons(list(self._reasons.values()))
            )
        if new:
            warnings.warn(
                f"{len(new)} of {self._num_clips} clips cannot be read and are skipped.\n"
                + _list_reasons([str(error) for error in new.values()]),
                UserWarning,
                # The caller of `random_crops`, when it checks the headers.
                stacklevel=4,
            )


def _list_reasons(reasons: list[str]) -> str:
    lines = reasons[:_REASONS_SHOWN]
    if len(reasons) > len(lines):
        lines = [*lines, f"... and {len(reasons) - len(lines)} more"]
    return "\n".join(lines)
