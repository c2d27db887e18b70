"""`keras-axlstm embed`: embeddings of audio files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.embed_stream import add_stream_arguments, run_stream
from keras_axlstm.cli.skipped import report_skipped
from keras_axlstm.cli.table import format_table

if TYPE_CHECKING:
    import numpy as np

    from keras_axlstm.embedding.results import FileEmbeddings

ROWS_SHOWN = 20


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "embed",
        help="turn audio files into embeddings",
        description="Turn audio files (wav, flac, ogg, mp3), or raw audio from a pipe, into "
        "embeddings.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILES",
        help="audio files, or folders of them; with --stream `-`, the standard input",
    )
    parser.add_argument(
        "--preset",
        default="axlstm_tiny",
        metavar="NAME_OR_DIR",
        help="preset name or folder (default: %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="a .npz or .parquet file to write"
    )
    parser.add_argument(
        "--timestamps", action="store_true", help="one embedding every 40 ms, not one a file"
    )
    parser.add_argument(
        "--one-pass", action="store_true", help="read a file whole, not in windows of 2 s"
    )
    parser.add_argument(
        "--normalization",
        choices=("none", "clip", "dataset"),
        help="of the log-mel spectrogram (default: what the preset says)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_integer,
        default=16,
        metavar="N",
        help="windows computed together (default: %(default)s)",
    )
    add_stream_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Embed the files; 3 if some were skipped."""
    if arguments.stream:
        return run_stream(arguments)
    if not arguments.files:
        arguments.usage_error("the following arguments are required: FILES")
    choose_backend()

    from keras_axlstm.data import find_audio_files
    from keras_axlstm.models import AudioEmbedder

    paths: list[Path] = []
    for path in arguments.files:
        paths.extend(find_audio_files(path) if path.is_dir() else [path])
    chosen = {"normalization": arguments.normalization} if arguments.normalization else {}
    embedder = AudioEmbedder.from_preset(
        arguments.preset,
        one_pass=arguments.one_pass,
        batch_size=arguments.batch_size,
        **chosen,
    )
    results = embedder.embed_files(
        paths,
        output=arguments.output,
        kind="timestamps" if arguments.timestamps else "scene",
        overwrite=arguments.overwrite,
        progress=not arguments.no_progress,
    )
    return _report(results, embedder.embedding_dim)


def _report(results: "FileEmbeddings", embedding_dim: int) -> int:
    """Print what was embedded and what was not; the exit code."""
    done = list(results.seconds)
    rows = [
        (path, f"{results.seconds[path]:.2f}", _preview(results.embeddings.get(path)))
        for path in done[:ROWS_SHOWN]
    ]
    print(format_table(("file", "seconds", "embedding"), rows))
    if len(done) > ROWS_SHOWN:
        print(f"... and {len(done) - ROWS_SHOWN} more")
    print(
        f"{len(done)} files, {sum(results.seconds.values()):.1f} s of audio, "
        f"{embedding_dim} values an embedding"
        + (f", written to {results.output}" if results.output else "")
    )
    return report_skipped(results.failures, len(done))


def _preview(embedding: "np.ndarray | None") -> str:
    """The first values of a scene, the shape of frames."""
    if embedding is None:
        return "in the output"
    if embedding.ndim == 2:
        return f"{embedding.shape[0]} frames"
    return " ".join(f"{value:.4f}" for value in embedding[:4]) + " ..."
