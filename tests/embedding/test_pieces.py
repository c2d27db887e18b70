"""Cutting and batching lose nothing, mix nothing up, and need few shapes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.embedding.pieces import cut_windows, in_batches, pad_whole

WINDOW = 20
lengths_of_clips = st.lists(st.integers(1, 130), min_size=1, max_size=12)


def clips_of(lengths):
    """Clips whose every value is different and not zero."""
    counter = itertools.count(1)
    return [
        (clip, np.array([[next(counter)] for _ in range(length)], "float32"))
        for clip, length in enumerate(lengths)
    ]


@given(lengths_of_clips, st.integers(1, 5))
@pytest.mark.parametrize("cut", [cut_windows, pad_whole])
def test_the_real_frames_of_the_batches_are_the_clips(cut, lengths, windows):
    clips = clips_of(lengths)
    found = {clip: [] for clip, _ in clips}
    for batch in in_batches(cut(clips, WINDOW), windows * WINDOW):
        rows, frames, _ = batch.spectrogram.shape
        assert rows * frames <= windows * WINDOW or rows == 1
        for row, piece in enumerate(batch.pieces):
            real = batch.spectrogram[row][: piece.num_frames]
            found[piece.clip].append(real)
            assert not batch.spectrogram[row][piece.num_frames :].any()
            np.testing.assert_array_equal(batch.mask[row], np.arange(frames) < piece.num_frames)
        assert not batch.spectrogram[len(batch.pieces) :].any()
        assert batch.mask[len(batch.pieces) :].all()
    for clip, spectrogram in clips:
        np.testing.assert_array_equal(np.concatenate(found[clip]), spectrogram)


def test_a_clip_that_divides_exactly_gets_no_extra_window():
    pieces = list(cut_windows(clips_of([2 * WINDOW]), WINDOW))
    assert [piece.num_frames for piece in pieces] == [WINDOW, WINDOW]


@given(st.integers(1, 5000))
def test_whole_clips_are_padded_by_at_most_half(length):
    (piece,) = pad_whole([(0, np.ones((length, 1), "float32"))], WINDOW)
    assert max(length, WINDOW) <= len(piece.spectrogram) <= max(WINDOW, 1.5 * length + 1)


def test_whole_clips_come_in_few_lengths():
    clips = [(0, np.ones((length, 1), "float32")) for length in range(1, 16 * WINDOW)]
    lengths = {len(piece.spectrogram) for piece in pad_whole(clips, WINDOW)}
    assert sorted(lengths) == [20, 30, 40, 60, 80, 120, 160, 240, 320]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [(1, [1]), (3, [4]), (5, [8]), (8, [8]), (9, [8, 8]), (17, [8, 8, 8])],
)
def test_rows_of_the_batches(windows, expected):
    clips = clips_of([WINDOW] * windows)
    batches = in_batches(cut_windows(clips, WINDOW), 8 * WINDOW)
    assert [len(batch.spectrogram) for batch in batches] == expected
