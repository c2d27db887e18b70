"""Cutting log-mel spectrograms into the pieces that the encoder reads, and batching them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np


class Piece(NamedTuple):
    """A stretch of one clip, zero-padded at its end.

    Attributes:
        clip: which clip it is from. The pieces of a clip follow each other.
        spectrogram: `(frames, bands)` float32, padding included.
        num_frames: real frames; the others are padding.
    """

    clip: int
    spectrogram: np.ndarray
    num_frames: int


class Batch(NamedTuple):
    """Pieces of one length, stacked.

    Attributes:
        pieces: the pieces, in row order. Rows beyond them are padding.
        spectrogram: `(rows, frames, bands)` float32.
        mask: `(rows, frames)` bool, True where a frame is real. Padding rows are all True: they
            are dropped, and a row with no real frame would divide by zero.
    """

    pieces: list[Piece]
    spectrogram: np.ndarray
    mask: np.ndarray


def cut_windows(
    spectrograms: Iterable[tuple[int, np.ndarray]], window_frames: int
) -> Iterator[Piece]:
    """Windows of `window_frames`, the last of a clip zero-padded.

    Args:
        spectrograms: pairs of clip number and `(frames, bands)` array.
        window_frames: frames a window.
    """
    for clip, spectrogram in spectrograms:
        for start in range(0, len(spectrogram), window_frames):
            window = spectrogram[start : start + window_frames]
            yield Piece(clip, _pad(window, window_frames), len(window))


def pad_whole(
    spectrograms: Iterable[tuple[int, np.ndarray]], window_frames: int
) -> Iterator[Piece]:
    """Whole clips, zero-padded to one of a few lengths: 1, 1.5, 2, 3, 4, 6, 8, ... windows.

    Few lengths mean few compiled functions, at the price of at most half as much again to compute.

    Args:
        spectrograms: pairs of clip number and `(frames, bands)` array.
        window_frames: the shortest length.
    """
    for clip, spectrogram in spectrograms:
        frames = len(spectrogram)
        yield Piece(clip, _pad(spectrogram, padded_length(frames, window_frames)), frames)


def padded_length(frames: int, shortest: int) -> int:
    """The least of `shortest` times 1, 1.5, 2, 3, 4, 6, 8, ... that is not below `frames`."""
    length = shortest
    while length < frames:
        between = length + math.ceil(length / 2)
        length = between if frames <= between else 2 * length
    return length


def in_batches(pieces: Iterable[Piece], max_frames: int) -> Iterator[Batch]:
    """Batches of pieces of equal length, at most `max_frames` frames each (or a single piece).

    A batch that is not full gets rows of zeros: up to the rows of a full batch when one of its
    length came before, else up to a power of two. So a function compiled for a shape is used
    again, and a single short clip does not pay for a full batch.

    Pieces of different lengths may come out in another order than they went in; the pieces of one
    clip have one length and keep their order.
    """
    waiting: dict[int, list[Piece]] = defaultdict(list)
    full_lengths = set()
    for piece in pieces:
        length = len(piece.spectrogram)
        waiting[length].append(piece)
        if len(waiting[length]) == _full_rows(length, max_frames):
            full_lengths.add(length)
            yield _stack(waiting.pop(length), _full_rows(length, max_frames))
    for length, rest in waiting.items():
        rows = _full_rows(length, max_frames)
        if length not in full_lengths:
            rows = min(rows, 2 ** math.ceil(math.log2(len(rest))))
        yield _stack(rest, rows)


def _full_rows(length: int, max_frames: int) -> int:
    return max(1, max_frames // length)


def _pad(spectrogram: np.ndarray, frames: int) -> np.ndarray:
    return np.pad(spectrogram, ((0, frames - len(spectrogram)), (0, 0)))


def _stack(pieces: list[Piece], rows: int) -> Batch:
    frames, bands = pieces[0].spectrogram.shape
    spectrogram = np.zeros((rows, frames, bands), "float32")
    mask = np.ones((rows, frames), bool)
    for row, piece in enumerate(pieces):
        spectrogram[row] = piece.spectrogram
        mask[row, piece.num_frames :] = False
    return Batch(pieces, spectrogram, mask)
