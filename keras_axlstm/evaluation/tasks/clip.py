from dataclasses import dataclass
from pathlib import Path

from keras_axlstm.evaluation.tasks.event import Event


@dataclass(frozen=True)
class Clip:
    """An audio file of a task and what is heard in it.

    Args:
        path: a mono wav file at 16 kHz.
        labels: of a scene task: exactly one in a multi-class task, any number in a multi-label
            task. Empty in an event task.
        events: of an event task, by their beginning. Empty in a scene task.

    Example:

    ```python
    from pathlib import Path
    from keras_axlstm.evaluation.tasks import Clip

    Clip(Path("16000/test/a.wav"), labels=("dog",))
    ```
    """

    path: Path
    labels: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
