import os
from collections.abc import Sequence
from pathlib import Path


class TaskError(ValueError):
    """Task folders that cannot be evaluated, with everything that is wrong with them.

    Args:
        problems: pairs of a file or folder and what is wrong with it.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks import TaskError, read_task

    try:
        read_task("no-such-task")
    except TaskError as error:
        for path, reason in error.problems:
            print(path, reason)
    ```
    """

    def __init__(self, problems: Sequence[tuple[Path, str]]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "".join(f"\n  {os.fspath(path)}: {reason}" for path, reason in self.problems)
        super().__init__(f"{count} with the tasks:{lines}")

    def __reduce__(self) -> tuple:
        # The default calls the class with the message alone.
        return type(self), (self.problems,)
