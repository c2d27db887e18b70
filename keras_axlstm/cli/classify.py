"""`keras-axlstm classify`: the classes of audio files."""

import argparse
import csv
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.skipped import report_skipped
from keras_axlstm.cli.table import format_table

Ranking = Sequence[tuple[str, float]]


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "classify",
        help="name the classes of audio files",
        description="Name the classes of audio files (wav, flac, ogg, mp3) with a classifier, such "
        "as `keras-axlstm finetune` writes.",
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILES", help="audio files, or folders of them"
    )
    parser.add_argument(
        "--preset", required=True, metavar="NAME_OR_DIR", help="preset of a classifier"
    )
    parser.add_argument(
        "--adapter",
        type=Path,
        metavar="FILE",
        help="adapter.npz of a run in mode frozen or lora; --preset is then the encoder it began "
        "with",
    )
    parser.add_argument(
        "--top",
        type=positive_integer,
        default=3,
        metavar="K",
        help="best classes of each file (default: %(default)s)",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="write path, rank, class and score, a line a class among the best",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_integer,
        default=32,
        metavar="N",
        help="files computed together (default: %(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing FILE")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Classify the files; 3 if some were skipped."""
    choose_backend()

    from keras_axlstm.data import find_audio_files
    from keras_axlstm.data.readable_files import readable_files
    from keras_axlstm.files import write_aside
    from keras_axlstm.models import AudioClassifier
    from keras_axlstm.models.open_preset import open_preset

    paths: list[Path] = []
    for path in arguments.files:
        paths.extend(find_audio_files(path) if path.is_dir() else [path])
    paths = list(dict.fromkeys(paths))
    place = write_aside(arguments.csv, arguments.overwrite) if arguments.csv else nullcontext()
    with place as unfinished:
        classifier = open_preset(AudioClassifier, arguments.preset, adapter=arguments.adapter)
        rate = classifier.preprocessor.audio_converter.sampling_rate
        good, failures = readable_files(paths, rate)
        reasons = [(path, f"{path}: {reason}") for path, reason in failures]
        if not good:
            return report_skipped(reasons, done=0)
        scores = classifier.predict(good, batch_size=arguments.batch_size, verbose=0)
        best = classifier.decode_predictions(scores, top=arguments.top)
        if unfinished is not None:
            _write_csv(unfinished, good, best)
    print(_table(good, best))
    if arguments.csv:
        print(f"Written to {arguments.csv}")
    return report_skipped(reasons, len(good))


def _table(paths: Sequence[Path], best: Sequence[Ranking]) -> str:
    header = ["file", *(text for rank in range(len(best[0])) for text in (_ordinal(rank), ""))]
    rows = [
        [path, *(cell for name, score in ranking for cell in (name, f"{score:.3f}"))]
        for path, ranking in zip(paths, best, strict=True)
    ]
    return format_table(header, rows)


def _ordinal(rank: int) -> str:
    return "class" if rank == 0 else f"class {rank + 1}"


def _write_csv(file: Path, paths: Sequence[Path], best: Sequence[Ranking]) -> None:
    with open(file, "w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("path", "rank", "class", "score"))
        for path, ranking in zip(paths, best, strict=True):
            for rank, (name, score) in enumerate(ranking, start=1):
                writer.writerow((path, rank, name, f"{score:.6f}"))
