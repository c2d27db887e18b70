"""Events from probabilities, by hand and against SciPy's median filter."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from keras_axlstm.evaluation.events import Postprocessing
from keras_axlstm.evaluation.events.postprocessing import postprocessing_grid
from keras_axlstm.evaluation.tasks import Event

pytestmark = pytest.mark.any_backend

LABELS = ("cat", "dog")


def events(postprocessing, *columns, step=50.0):
    probabilities = np.array(columns, "float32").T
    return postprocessing.events(probabilities, step * np.arange(len(probabilities)), LABELS)


def test_frames_above_the_threshold_are_events():
    cat = [0.9, 0.6, 0.5, 0.7, 0.1, 0.8]
    dog = [0.0, 0.9, 0.9, 0.9, 0.4, 0.0]
    everything = (
        Event("cat", 0.0, 50.0),
        Event("dog", 50.0, 150.0),
        Event("cat", 150.0, 150.0),
        Event("cat", 250.0, 250.0),
    )
    assert events(Postprocessing(0.0, 0.0), cat, dog) == everything
    assert events(Postprocessing(0.0, 50.0), cat, dog) == everything[:2]
    assert events(Postprocessing(0.0, 100.1), cat, dog) == ()
    # 0.5 is above 0.45.
    assert events(Postprocessing(0.0, 150.0, 0.45), cat, dog) == (Event("cat", 0.0, 150.0),)


def test_the_median_filter_closes_gaps_and_drops_spikes():
    cat = [0, 1, 1, 0, 1, 1, 0, 0, 0]
    dog = [0, 0, 0, 0, 0, 1, 0, 0, 0]
    # Three frames.
    assert events(Postprocessing(150.0, 0.0), cat, dog) == (Event("cat", 50.0, 250.0),)
    # Its width is rounded to frames: to one, which does nothing.
    assert len(events(Postprocessing(70.0, 0.0), cat, dog)) == 3


def test_clips_of_few_frames():
    once = Postprocessing(250.0, 0.0).events(np.array([[0.9, 0.1]]), np.array([30.0]), LABELS)
    assert once == (Event("cat", 30.0, 30.0),)
    assert events(Postprocessing(1000.0, 0.0), [0.9, 0.9], [0.1, 0.1]) == (Event("cat", 0.0, 50.0),)


@hypothesis.given(st.integers(1, 40), st.integers(0, 45), st.integers(0, 2**16))
def test_the_filter_is_that_of_scipy(frames, width, seed):
    probabilities = np.random.default_rng(seed).random((frames, 2)).astype("float32")
    times = 10.0 * np.arange(frames)
    if frames > 1 and width:
        filtered = median_filter(probabilities, size=(width, 1))
    else:
        filtered = probabilities
    found = Postprocessing(10.0 * width, 0.0, 0.6).events(probabilities, times, LABELS)
    assert found == Postprocessing(0.0, 0.0, 0.6).events(filtered, times, LABELS)


def test_the_grid_of_a_task():
    assert postprocessing_grid({}) == (Postprocessing(250.0, 125.0), Postprocessing(250.0, 250.0))
    # As MAESTRO has it.
    maestro = postprocessing_grid({"median_filter_ms": (150.0,), "min_duration": (50.0,)})
    assert maestro == (Postprocessing(150.0, 50.0, 0.5),)
    some = postprocessing_grid({"threshold": (0.3, 0.4), "min_duration": (0.0, 50.0)})
    assert [(each.min_duration_ms, each.threshold) for each in some] == [
        (0.0, 0.3),
        (0.0, 0.4),
        (50.0, 0.3),
        (50.0, 0.4),
    ]
    assert {each.median_filter_ms for each in some} == {150.0}


def test_bad_settings_are_refused():
    for setting in ({"median_filter_ms": -1.0}, {"min_duration_ms": np.nan}, {"threshold": 1.0}):
        with pytest.raises(ValueError, match=f"{next(iter(setting))}.*received"):
            Postprocessing(**setting)
