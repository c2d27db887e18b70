"""LogMelStream: the frames of `log_mel_spectrogram`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.audio import log_mel_spectrogram
from keras_axlstm.streaming.log_mel_stream import LogMelStream
from tests.streaming.streams import cut, noise


@given(
    samples=st.integers(400, 3000),
    cuts=st.lists(st.floats(0, 1), max_size=10),
    hop_length=st.sampled_from([1, 160, 199, 200, 201, 400, 1000]),
)
def test_any_cut(samples, cuts, hop_length):
    front_end = {
        "sampling_rate": 16000,
        "num_mel_bins": 40,
        "window_length": 400,
        "hop_length": hop_length,
        "min_frequency": 50.0,
        "max_frequency": 8000.0,
    }
    waveform = noise(samples)
    stream = LogMelStream(**front_end)
    frames = [stream.push(part) for part in cut(waveform, [int(x * samples) for x in cuts])]
    actual = np.concatenate([*frames, stream.finish()])
    expected = log_mel_spectrogram(waveform, **front_end)
    # Not bit by bit: a product of other blocks of rows is rounded otherwise.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
