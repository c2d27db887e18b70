from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """A sound with a beginning and an end.

    Args:
        label: a word of the task's vocabulary.
        start_ms: when it begins, in milliseconds from the start of the clip.
        end_ms: when it ends, in milliseconds.

    Example:

    ```python
    from keras_axlstm.evaluation.tasks import Event

    Event("knock", start_ms=120.0, end_ms=480.0)
    ```
    """

    label: str
    start_ms: float
    end_ms: float
