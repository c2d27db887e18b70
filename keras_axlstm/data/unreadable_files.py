import warnings
from typing import Any

from keras_axlstm.audio import AudioFileError

_REASONS_SHOWN = 10


class UnreadableFiles:
    """The files of a data set that turned out to be unreadable, each reported once.

    Args:
        num_files: files in the data set.
        report: gets a pair `(path, reason)` of every unreadable file.
    """

    def __init__(self, num_files: int, report: list[tuple[Any, str]]) -> None:
        self._num_files = num_files
        self._report = report
        self._reasons: dict[str, str] = {}

    def add(self, errors: list[AudioFileError]) -> None:
        """Report files that were not reported before, in one warning.

        Raises:
            ValueError: no readable file is left.
        """
        new = {str(error.path): error for error in errors if str(error.path) not in self._reasons}
        if not new:
            return
        self._reasons |= {path: str(error) for path, error in new.items()}
        self._report.extend((error.path, str(error)) for error in new.values())
        if len(self._reasons) == self._num_files:
            raise ValueError(
                f"None of the {self._num_files} audio files can be read.\n"
                + _list_reasons(list(self._reasons.values()))
            )
        warnings.warn(
            f"{len(new)} of {self._num_files} audio files cannot be read and are skipped.\n"
            + _list_reasons([str(error) for error in new.values()]),
            UserWarning,
            # The caller of `random_crops`, when it checks the headers.
            stacklevel=4,
        )

    def is_readable(self, element: Any) -> bool:
        """False, and a report, for the error that stands in place of an example."""
        if isinstance(element, AudioFileError):
            self.add([element])
            return False
        return True


def _list_reasons(reasons: list[str]) -> str:
    lines = reasons[:_REASONS_SHOWN]
    if len(reasons) > len(lines):
        lines = [*lines, f"... and {len(reasons) - len(lines)} more"]
    return "\n".join(lines)
