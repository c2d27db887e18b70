import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

# What a program that writes into a pipe puts where it does not know the length yet.
_UNKNOWN_SIZES = (0, 2**31 - 1, 2**32 - 1)
_LONGEST_FORMAT = 40


@dataclass(frozen=True)
class WavHeader:
    """What a wav file says about itself.

    Args:
        sampling_rate: in Hz.
        channels: 1 is mono.
        samples: of each channel.
    """

    sampling_rate: int
    channels: int
    samples: int


def read_wav_header(file: BinaryIO) -> WavHeader:
    """Read the header of a wav file, without its samples.

    Args:
        file: opened in binary mode, at its beginning; it must be seekable.

    Raises:
        ValueError: it is not a wav file, or it is damaged; says why.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if end == 0:
        raise ValueError("it is empty (0 bytes)")
    start = file.read(12)
    if start[:4] not in (b"RIFF", b"RF64") or start[8:12] != b"WAVE":
        raise ValueError("it is not a wav file")
    channels = rate = frame_bytes = 0
    while len(chunk := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            if not rate or not channels or not frame_bytes:
                raise ValueError("it is damaged: its format is not stated before its samples")
            samples = _data_bytes(size, end - file.tell()) // frame_bytes
            if samples == 0:
                raise ValueError("it has no samples")
            return WavHeader(rate, channels, samples)
        # Chunks have an even length.
        following = file.tell() + size + size % 2
        if name == b"fmt ":
            content = file.read(min(size, _LONGEST_FORMAT))
            if len(content) < 16:
                raise ValueError("it is damaged: its format is cut off")
            _, channels, rate, _, frame_bytes = struct.unpack("<HHIIH", content[:14])
        file.seek(following)
    raise ValueError("it is damaged: it ends before its samples")


def _data_bytes(stated: int, present: int) -> int:
    if stated in _UNKNOWN_SIZES:
        return present
    if stated > present:
        raise ValueError(f"it is damaged: only {present} of {stated} bytes of samples are there")
    return stated
