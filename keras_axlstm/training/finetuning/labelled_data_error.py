import os
from collections.abc import Sequence
from pathlib import Path


class LabelledDataError(ValueError):
    """Labelled files that cannot be trained on, with everything that is wrong with them.

    Args:
        problems: pairs of a file, folder or manifest and what is wrong with it.

    Example:

    ```python
    from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError

    error = LabelledDataError([("clips/rain", "expected audio files, found none")])
    error.problems[0]
    ```
    """

    def __init__(self, problems: Sequence[tuple[str | Path, str]]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "".join(f"\n  {os.fspath(path)}: {reason}" for path, reason in self.problems)
        super().__init__(f"{count} with the data:{lines}")

    def __reduce__(self) -> tuple:
        # The default calls the class with the message alone.
        return type(self), (self.problems,)
