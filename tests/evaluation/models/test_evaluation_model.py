"""What every model to evaluate checks."""

import numpy as np
import pytest

from keras_axlstm.evaluation.models import EvaluationModel


class Fake(EvaluationModel):
    """Gives what it is told to."""

    def __init__(self, scenes=None, timestamps=None):
        super().__init__("fake", "0", embedding_dim=3, frame_dim=2)
        self.results = scenes, timestamps

    def _scenes(self, clips):
        return self.results[0]

    def _timestamps(self, clips):
        return self.results[1]


CLIPS = [np.zeros(10), np.zeros(5, "int16")]
GOOD = (np.zeros((4, 2)), np.arange(4))


def test_results_have_the_promised_types():
    model = Fake(np.zeros((2, 3)), [GOOD, GOOD])
    assert model.scenes(CLIPS).dtype == np.float32
    frames, times_ms = model.timestamps(CLIPS)[0]
    assert (frames.dtype, times_ms.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("scenes", [np.zeros((2, 4)), np.zeros((1, 3)), np.zeros(3)])
def test_scenes_of_a_wrong_shape_are_refused(scenes):
    with pytest.raises(ValueError, match=r"fake must give scene embeddings of shape \(2, 3\)"):
        Fake(scenes).scenes(CLIPS)


@pytest.mark.parametrize(
    "timestamps",
    [
        [GOOD],
        [GOOD, (np.zeros((4, 2)), np.arange(3))],
        [GOOD, (np.zeros((4, 3)), np.arange(4))],
        [(np.zeros(4), np.arange(4)), GOOD],
        [GOOD, (np.zeros((4, 2)), np.zeros((4, 1)))],
    ],
)
def test_timestamps_of_a_wrong_shape_are_refused(timestamps):
    with pytest.raises(ValueError, match=r"fake must give frames \(t, 2\) and times \(t,\)"):
        Fake(timestamps=timestamps).timestamps(CLIPS)


def test_bad_clips_are_refused_by_their_place():
    with pytest.raises(ValueError, match="at least one clip"):
        Fake().scenes([])
    with pytest.raises(ValueError, match=r"`waveforms\[1\]` must be finite"):
        Fake().timestamps([np.zeros(4), np.full(4, np.inf)])
