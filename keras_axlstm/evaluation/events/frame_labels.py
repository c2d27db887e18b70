"""Which events cover a moment."""

from collections.abc import Sequence

import numpy as np

from keras_axlstm.evaluation.tasks.event import Event

# An event covers its last moment too, however that was rounded.
_ROUNDING_MS = 1e-4


def frame_labels(
    events: Sequence[Event], times_ms: np.ndarray, labels: Sequence[str]
) -> np.ndarray:
    """The labels of frames: those of the events that cover the frame's time.

    Args:
        events: of one clip.
        times_ms: of its frames, `(t,)` in milliseconds.
        labels: the vocabulary.

    Returns:
        `(t, labels)` bool.

    Raises:
        ValueError: an event whose label is not in the vocabulary.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.evaluation.events import frame_labels
    from keras_axlstm.evaluation.tasks import Event

    frame_labels([Event("knock", 50.0, 100.0)], np.array([0.0, 50.0, 100.0, 150.0]), ["knock"])
    # False, True, True, False
    ```
    """
    column = {label: index for index, label in enumerate(labels)}
    unknown = sorted({event.label for event in events} - set(column))
    if unknown:
        raise ValueError(
            f"Expected events of the labels {', '.join(labels)}. Received: {', '.join(unknown)}. "
            "Add them to the vocabulary."
        )
    times_ms = np.asarray(times_ms, np.float64)
    targets = np.zeros((len(times_ms), len(labels)), bool)
    for event in events:
        covered = (event.start_ms <= times_ms) & (times_ms < event.end_ms + _ROUNDING_MS)
        targets[covered, column[event.label]] = True
    return targets
