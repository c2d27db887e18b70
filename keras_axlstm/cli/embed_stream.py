"""`keras-axlstm embed --stream`: frames of raw audio from a pipe."""

import argparse
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, cast

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.backend import choose_backend

if TYPE_CHECKING:
    import numpy as np

    from keras_axlstm.streaming import AudioStream

    Frames = Iterator[tuple[np.ndarray, float]]

SAMPLE_FORMATS = {"int16": "<i2", "float32": "<f4"}
# More than a pipe holds; what is there is read at once, however little.
READ_BYTES = 2**16


def add_stream_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a stream to those of `embed`."""
    parser.add_argument(
        "--stream",
        action="store_true",
        help="read raw mono audio from the standard input and give a frame every 40 ms as it "
        "comes: to --output when the input ends, else as CSV lines. The same frames as of "
        "--timestamps --one-pass",
    )
    parser.add_argument(
        "--sampling-rate",
        type=positive_integer,
        default=16000,
        metavar="HZ",
        help="of --stream (default: %(default)s)",
    )
    parser.add_argument(
        "--sample-format",
        choices=tuple(SAMPLE_FORMATS),
        default="int16",
        help="of --stream, little-endian (default: %(default)s)",
    )


def run_stream(arguments: argparse.Namespace) -> int:
    """Embed the standard input."""
    if arguments.files not in ([], [Path("-")]):
        arguments.usage_error("--stream reads the standard input: give `-` or nothing for FILES")
    if sys.stdin.isatty():
        arguments.usage_error("--stream needs raw audio in a pipe: sox ... -t raw - | keras-axlstm")
    choose_backend()

    from keras_axlstm.models import AudioEmbedder

    chosen = {"normalization": arguments.normalization} if arguments.normalization else {}
    embedder = AudioEmbedder.from_preset(arguments.preset, one_pass=True, **chosen)
    stream = embedder.stream(arguments.sampling_rate)
    frames = _read_frames(stream, SAMPLE_FORMATS[arguments.sample_format])
    if arguments.output is None:
        _print_frames(frames, embedder.embedding_dim)
    else:
        _write_frames(frames, arguments.output, arguments.overwrite)
    return 0


def _read_frames(stream: "AudioStream", sample_format: str) -> "Frames":
    import numpy as np

    width = np.dtype(sample_format).itemsize
    rest = b""
    pipe = cast(BufferedReader, sys.stdin.buffer)
    while received := pipe.read1(READ_BYTES):
        received = rest + received
        whole = len(received) - len(received) % width
        rest = received[whole:]
        yield from stream.push(np.frombuffer(received[:whole], sample_format))
    if rest:
        print(f"{len(rest)} bytes at the end are less than a sample: ignored", file=sys.stderr)
    yield from stream.finish()


def _print_frames(frames: "Frames", embedding_dim: int) -> None:
    print("time_ms", *range(embedding_dim), sep=",")
    for frame, time_ms in frames:
        # Nine digits tell one float32 from every other.
        print(time_ms, *(f"{value:.9g}" for value in frame), sep=",", flush=True)


def _write_frames(frames: "Frames", output: Path, overwrite: bool) -> None:
    """Write all frames when the input ends, or those that there are when it breaks off."""
    import numpy as np

    from keras_axlstm.embedding.output import open_output

    embeddings: list[np.ndarray] = []
    times_ms: list[float] = []
    broken_off: ValueError | KeyboardInterrupt | None = None
    with open_output(output, overwrite) as writer:
        try:
            for frame, time_ms in frames:
                embeddings.append(frame)
                times_ms.append(time_ms)
        except (ValueError, KeyboardInterrupt) as error:
            if not embeddings:
                raise
            broken_off = error
        writer.add("-", np.stack(embeddings), np.array(times_ms))
    print(f"{len(embeddings)} frames, written to {output}")
    if broken_off is not None:
        raise broken_off
