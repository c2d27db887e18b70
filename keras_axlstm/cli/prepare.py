"""`keras-axlstm prepare`: shards of log-mel spectrograms from audio."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from keras_axlstm.cli.arguments import positive_integer
from keras_axlstm.cli.skipped import report_skipped


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "prepare",
        help="turn audio into shards of log-mel spectrograms that pretraining reads fast",
        description="Turn audio into shards of float16 log-mel spectrograms, for pretraining on "
        "large collections. An interrupted run goes on where it was when it is started again. The "
        "output lists the files that could not be read in skipped.csv and has statistics in "
        "dataset.json.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="a folder of audio or of .tar files of log-mel spectrograms, a .csv or .parquet file "
        "with a column 'path', or audio files or .tar files",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="the folder to make"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.add_argument(
        "--processes",
        type=positive_integer,
        default=1,
        metavar="N",
        help="processes that work at the same time (default: %(default)s)",
    )
    parser.add_argument(
        "--layout",
        choices=("flat", "array_record"),
        default="flat",
        help="of a shard: one array in a .npy file, which is read fastest, or a record for each "
        "clip (default: %(default)s)",
    )
    parser.add_argument(
        "--clips-per-shard", type=positive_integer, metavar="N", help="default: up to 2048"
    )
    parser.add_argument(
        "--sampling-rate",
        type=positive_integer,
        default=16000,
        metavar="HZ",
        help="to which audio is resampled (default: %(default)s)",
    )
    parser.add_argument(
        "--num-mel-bins",
        type=positive_integer,
        default=80,
        metavar="N",
        help="default: %(default)s",
    )
    beam = parser.add_argument_group("Apache Beam (extra 'beam')")
    beam.add_argument(
        "--runner",
        metavar="NAME",
        help="a Beam runner that does the work instead of --processes, such as DirectRunner or "
        "DataflowRunner. Its workers need SOURCE and DIR under the same paths",
    )
    beam.add_argument(
        "--runner-options",
        type=shlex.split,
        default=[],
        metavar="OPTIONS",
        help="options of the pipeline in one string, such as '--region=europe-west1'",
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Prepare the clips; 3 if some were skipped."""
    if arguments.runner_options and arguments.runner is None:
        arguments.usage_error("--runner-options needs --runner")

    from keras_axlstm.data import prepare

    source = arguments.source[0] if len(arguments.source) == 1 else arguments.source
    prepared = prepare(
        source,
        arguments.output,
        processes=arguments.processes,
        layout=arguments.layout,
        clips_per_shard=arguments.clips_per_shard,
        overwrite=arguments.overwrite,
        progress=not arguments.no_progress,
        runner=arguments.runner,
        runner_options=arguments.runner_options,
        sampling_rate=arguments.sampling_rate,
        num_mel_bins=arguments.num_mel_bins,
    )
    print(
        f"{prepared.clips} clips, {prepared.hours:.3g} h, mean {prepared.mean:.4f}, standard "
        f"deviation {prepared.std:.4f}, written to {arguments.output}"
    )
    print(f"Next: keras-axlstm pretrain {arguments.output} --output PRESET_DIR")
    return report_skipped(prepared.skipped, done=prepared.clips)
