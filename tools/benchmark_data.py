"""Time the data pipeline, without any training: see --help.

python tools/benchmark_data.py [OPTIONS]
"""

import argparse
import datetime
import functools
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from benchmarking import environment
from benchmarking.results import write_report
from keras_axlstm.data import prepare, random_crops, tf_random_crops

SECONDS, RATE = 10, 16000
Record = dict[str, Any]

DESCRIPTION = """\
Time preparing and reading on made-up clips of 10 s in 16 kHz flac: `prepare` in one process, and
crops of 200 frames, normalised by the statistics of their clips, from prepared shards and from the
flac files, in threads and in worker processes. Nothing is trained. Writes a JSON file and a
Markdown table, which is also printed. The clips fit into memory, so disks are not measured."""


def main(argv: list[str]) -> int:
    """Run all cases, print the table, write the file."""
    options = _parse(argv)
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    described = environment.describe(argv, "benchmark_data.py")
    content: Record = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": described,
        "load_before": os.getloadavg()[0],
        "clips": options.clips,
        "batch_size": options.batch_size,
        "records": [],
    }

    def add(name: str, figures: Record) -> None:
        content["records"].append({"name": name, **figures})
        print(f"{name}: {_line(figures)}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        _make_clips(folder / "audio", options.clips)
        for layout in ("flat", "array_record"):
            add(f"prepare, {layout}, 1 process", _time_prepare(folder, layout))
        read = functools.partial(_time_crops, options.batch_size, options.seconds)
        for source in ("flat", "array_record", "audio"):
            for count in options.workers or (0, environment.usable_cores()):
                place = f"{count} workers" if count else "threads"
                crops = functools.partial(random_crops, folder / source, num_workers=count)
                add(f"crops, {source}, {place}", read(crops))
        if options.tensorflow:
            for source in ("flat", "audio"):
                crops = functools.partial(_tensorflow_crops, folder / source)
                add(f"crops, {source}, tf.data", read(crops))
        if options.crops:
            crops = functools.partial(random_crops, folder / "flat")
            add(f"memory over {options.crops:,} crops, flat, threads", _memory(crops, options))
    write_report(options.output, "data-", content, _table(content))
    return 0


def _make_clips(folder: Path, count: int) -> None:
    folder.mkdir()
    time_ = np.arange(SECONDS * RATE) / RATE
    for i in range(count):
        rng = np.random.default_rng(i)
        tone = 0.2 * np.sin(2 * np.pi * rng.uniform(80, 3000) * time_ + np.sin(5 * time_))
        noise = rng.normal(scale=0.03, size=time_.size)
        soundfile.write(folder / f"{i:06d}.flac", tone + noise, RATE)


def _time_prepare(folder: Path, layout: str) -> Record:
    start, cpu = time.perf_counter(), time.process_time()
    prepared = prepare(folder / "audio", folder / layout, layout=layout)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    size = sum(path.stat().st_size for path in (folder / layout).iterdir())
    return {
        "times_real_time": prepared.clips * SECONDS / wall,
        "times_real_time_per_cpu_second": prepared.clips * SECONDS / cpu,
        "bytes_per_clip": size / prepared.clips,
    }


def _time_crops(batch_size: int, seconds: float, make: Callable[..., Any]) -> Record:
    """After a warm-up, which starts the workers and fills the queues."""
    iterator = iter(make(batch_size=batch_size))
    for _ in range(8):
        next(iterator)
    start, crops = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        crops += len(next(iterator))
    figures = {"crops_per_second": crops / (time.perf_counter() - start)}
    _close(iterator)
    return figures


def _memory(make: Callable[..., Any], options: argparse.Namespace) -> Record:
    """Resident memory of this process and its children, from a tenth of the crops on."""
    iterator = iter(make(batch_size=options.batch_size))
    sizes, crops = [], 0
    while crops < options.crops:
        crops += len(next(iterator))
        if crops >= options.crops // 10:
            sizes.append(_resident())
    _close(iterator)
    return {"bytes_at_a_tenth": sizes[0], "bytes_at_the_end": sizes[-1], "bytes_peak": max(sizes)}


def _resident() -> int:
    process = psutil.Process()
    return sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))


def _tensorflow_crops(source: Path, batch_size: int) -> Any:
    return tf_random_crops(source, batch_size=batch_size).as_numpy_iterator()


def _close(iterator: Any) -> None:
    if hasattr(iterator, "close"):
        iterator.close()


def _table(content: Record) -> str:
    described = content["environment"]
    changed = " with uncommitted changes" if described["dirty"] else ""
    lines = [
        f"{content['date'][:10]}, {described['cpu']}, {described['cores']} cores, "
        f"commit {described['commit']}{changed}, load before {content['load_before']:.1f}",
        f"`{described['command']}`",
        "",
        "| | |",
        "| --- | --- |",
    ]
    lines += [f"| {record['name']} | {_line(record)} |" for record in content["records"]]
    return "\n".join(lines)


def _line(figures: Record) -> str:
    if "crops_per_second" in figures:
        return f"{figures['crops_per_second']:,.0f} crops/s"
    if "times_real_time" in figures:
        return (
            f"{figures['times_real_time']:,.0f} x real time, "
            f"{figures['times_real_time_per_cpu_second']:,.0f} x a CPU second, "
            f"{figures['bytes_per_clip'] / 1e3:,.0f} kB a clip"
        )
    tenth, end, peak = (
        figures[f"bytes_{when}"] / 1e6 for when in ("at_a_tenth", "at_the_end", "peak")
    )
    return f"{tenth:,.0f} MB after a tenth, {end:,.0f} MB at the end, peak {peak:,.0f} MB"


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmark_data.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clips", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--batch-size", type=int, default=256, metavar="N", help="default: 256")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="of a case (default: 10)"
    )
    parser.add_argument(
        "--crops", type=int, default=100_000, metavar="N", help="memory over N crops; 0: not"
    )
    parser.add_argument(
        "--workers",
        type=int,
        nargs="+",
        metavar="N",
        help="worker processes that read; 0: threads (default: 0, and as many as cores)",
    )
    parser.add_argument("--cores", type=int, metavar="N", help="use only N cores (Linux)")
    parser.add_argument("--tensorflow", action="store_true", help="the tf.data pipeline too")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="for the clips (default: that of the system)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=environment.ROOT / "tools" / "benchmarks",
        metavar="DIR",
        help="folder for <date>-data-<device>.json and .md, numbered where they exist "
        "(default: tools/benchmarks)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
