"""Labels of frames, and the split that they make."""

import numpy as np
import pytest

from keras_axlstm.evaluation.events import EventSplit, frame_labels
from keras_axlstm.evaluation.tasks import Event

pytestmark = pytest.mark.any_backend

LABELS = ("cat", "dog")
EVENTS = (Event("cat", 50.0, 150.0), Event("dog", 140.0, 160.0), Event("dog", 200.0, 200.0))
TIMES = np.arange(6) * 50.0


def test_an_event_covers_its_first_and_its_last_moment():
    expected = [[0, 0], [1, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    np.testing.assert_array_equal(frame_labels(EVENTS, TIMES, LABELS), expected)
    # Between two frames, and overlapping events of one label.
    assert not frame_labels([Event("cat", 51.0, 99.0)], TIMES, LABELS).any()
    twice = [Event("cat", 0.0, 60.0), Event("cat", 40.0, 100.0)]
    np.testing.assert_array_equal(frame_labels(twice, TIMES, LABELS)[:, 0], [1, 1, 1, 0, 0, 0])
    assert frame_labels([], TIMES, LABELS).shape == (6, 2)


def test_rounding_at_the_end_of_an_event():
    times = np.array([0.1 + 0.2, 0.31])
    assert frame_labels([Event("cat", 0.0, 0.3)], times, LABELS)[:, 0].tolist() == [True, False]


def test_a_label_outside_the_vocabulary():
    with pytest.raises(ValueError, match="labels cat, dog. Received: owl"):
        frame_labels([Event("owl", 0.0, 1.0)], TIMES, LABELS)


def test_a_split_of_clips():
    rng = np.random.default_rng(0)
    frames = [(rng.normal(size=(n, 3)), TIMES[:n]) for n in (6, 2)]
    split = EventSplit.of(frames, [EVENTS, ()], LABELS)
    assert split.embeddings.shape == (8, 3) and split.embeddings.dtype == np.float32
    np.testing.assert_array_equal(split.targets[:6], frame_labels(EVENTS, TIMES, LABELS))
    assert not split.targets[6:].any()
    first, second = split.by_clip(split.embeddings)
    np.testing.assert_array_equal(first, frames[0][0].astype("float32"))
    np.testing.assert_array_equal(second, frames[1][0].astype("float32"))


def test_what_a_hash_covers():
    frames = [(np.ones((6, 3)), TIMES), (np.ones((6, 3)), TIMES)]

    def contents(frames, events):
        return b"".join(EventSplit.of(frames, events, LABELS).contents())

    before = contents(frames, [EVENTS, ()])
    assert before == contents(frames, [EVENTS, ()])
    # Neither of these changes a label.
    assert before != contents([frames[0], (np.ones((6, 3)), TIMES + 0.5)], [EVENTS, ()])
    assert before != contents(frames, [(Event("cat", 49.5, 150.0), *EVENTS[1:]), ()])


def test_bad_splits_are_refused():
    clip = (np.ones((6, 3)), TIMES)
    for frames, events, message in [
        ([], [], "at least one, received frames of 0"),
        ([clip], [(), ()], "frames of 1 and events of 2 clips"),
        ([(np.ones((6, 3)), TIMES[::-1])], [()], "times of frames to be finite and to rise"),
        ([(np.ones((6, 3)), TIMES * np.nan)], [()], "in clip 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            EventSplit.of(frames, events, LABELS)
    split = EventSplit.of([clip], [()], LABELS)
    with pytest.raises(ValueError, match="a time for each of 6 frames .* received 5 times"):
        EventSplit(split.embeddings, split.targets, (TIMES[:5],), ((),))
