"""Time a stream and compare it with the whole: see --help.

python tools/benchmark_stream.py [OPTIONS]
"""

import argparse
import datetime
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarking import environment
from benchmarking.results import write_report

RATE = 16000
CHUNKS = (1, 160, 1000, 32000)
Record = dict[str, Any]

DESCRIPTION = """\
Stream made-up audio through an encoder with random weights, on the backend of KERAS_BACKEND: the
time of pushes of 40 ms; for parts of 1, 160, 1000 and 32000 samples, and for minutes of audio, the
largest difference of a value from those of the embedder that has the whole; and memory. Writes a
JSON file and a Markdown table, which is also printed. For one core take --cores 1, and
OMP_NUM_THREADS=1 in the environment."""


def main(argv: list[str]) -> int:
    """Run all cases, print the table, write the file."""
    options = _parse(argv)
    if options.cores:
        # Before the backends count them.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])

    import keras

    described = environment.describe(argv, "benchmark_stream.py")
    content: Record = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": described,
        "load_before": os.getloadavg()[0],
        "backend": keras.backend.backend(),
        "preset": options.preset,
        "records": [],
    }

    def add(name: str, figures: Record) -> None:
        content["records"].append({"name": name, **figures})
        print(f"{name}: {_line(figures)}", file=sys.stderr, flush=True)

    embedder = _new_embedder(options.preset)
    add(f"{options.pushes} pushes of 40 ms", _time_pushes(embedder, options.pushes))
    clip = _noise(options.seconds)
    expected = embedder.embed_timestamps(clip)[0]
    for chunk in CHUNKS:
        add(f"{options.seconds:g} s, {chunk} samples a push", _run(embedder, clip, chunk, expected))
    if options.minutes:
        clip = _noise(60 * options.minutes)
        # The stream first: it is its memory that is of interest.
        given = np.ones((len(clip) // 640 + 1, embedder.embedding_dim), "float32")
        figures = _run(embedder, clip, 1000, None, given)
        expected = embedder.embed_timestamps(clip)[0]
        figures["largest_difference"] = float(np.abs(given - expected).max())
        add(f"{options.minutes:g} minutes, 1000 samples a push", figures)
    write_report(options.output, f"stream-{content['backend']}-", content, _table(content))
    return 0


def _new_embedder(preset: str) -> Any:
    """With weights of the gates that differ from zero, as after training."""
    import keras

    import keras_axlstm

    keras.utils.set_random_seed(0)
    encoder = keras_axlstm.AxLSTMEncoder.from_preset(preset, load_weights=False)
    generator = np.random.default_rng(0)
    for block in encoder.blocks:
        for kernel in (block.mlstm.input_gate_kernel, block.mlstm.forget_gate_kernel):
            kernel.assign(generator.normal(scale=0.05, size=kernel.shape))
    return keras_axlstm.AudioEmbedder(
        encoder, normalization="dataset", mean=-6.0, std=3.0, one_pass=True
    )


def _noise(seconds: float) -> np.ndarray:
    """Noise whose loudness changes, a whole number of pushes of 40 ms and 100 samples long."""
    samples = int(seconds * RATE) // 640 * 640 + 100
    generator = np.random.default_rng(0)
    loudness = np.interp(np.arange(samples), np.linspace(0, samples, 50), generator.random(50))
    return (0.3 * loudness * generator.standard_normal(samples)).astype("float32")


def _time_pushes(embedder: Any, pushes: int) -> Record:
    stream = embedder.stream()
    clip = _noise(10)
    seconds = []
    for i in range(pushes + 20):
        part = clip[640 * i % 160000 :][:640]
        start = time.perf_counter()
        stream.push(part)
        seconds.append(time.perf_counter() - start)
    # The first ones meet cold caches.
    quantiles = np.quantile(seconds[20:], [0.5, 0.95])
    return {"median_ms": 1000 * quantiles[0], "p95_ms": 1000 * quantiles[1]}


def _run(
    embedder: Any,
    clip: np.ndarray,
    chunk: int,
    expected: np.ndarray | None,
    given: np.ndarray | None = None,
) -> Record:
    """Stream a clip; its frames go to `given`, which must hold them all."""
    if given is None:
        given = np.ones((len(clip) // 640 + 1, embedder.embedding_dim), "float32")
    stream = embedder.stream()
    process, count, tenth = psutil.Process(), 0, 0
    start = time.perf_counter()
    for first in range(0, len(clip), chunk):
        for frame, _ in stream.push(clip[first : first + chunk]):
            given[count] = frame
            count += 1
        if not tenth and first >= len(clip) // 10:
            tenth = process.memory_info().rss
    for frame, _ in stream.finish():
        given[count] = frame
        count += 1
    figures: Record = {
        "times_real_time": len(clip) / RATE / (time.perf_counter() - start),
        "bytes_at_a_tenth": tenth,
        "bytes_at_the_end": process.memory_info().rss,
    }
    if count != len(given):
        raise RuntimeError(f"expected {len(given)} frames, received {count}")
    if expected is not None:
        figures["largest_difference"] = float(np.abs(given - expected).max())
    return figures


def _table(content: Record) -> str:
    described = content["environment"]
    changed = " with uncommitted changes" if described["dirty"] else ""
    lines = [
        f"{content['date'][:10]}, {described['cpu']}, {described['cores']} cores, "
        f"{content['backend']}, {content['preset']}, commit {described['commit']}{changed}, "
        f"load before {content['load_before']:.1f}",
        f"`{described['command']}`",
        "",
        "| | |",
        "| --- | --- |",
    ]
    lines += [f"| {record['name']} | {_line(record)} |" for record in content["records"]]
    return "\n".join(lines)


def _line(figures: Record) -> str:
    if "median_ms" in figures:
        return f"median {figures['median_ms']:.2f} ms, 95 % within {figures['p95_ms']:.2f} ms"
    tenth, end = (figures[f"bytes_{when}"] / 1e6 for when in ("at_a_tenth", "at_the_end"))
    return (
        f"largest difference {figures['largest_difference']:.1e}, "
        f"{figures['times_real_time']:.0f} x real time, "
        f"{tenth:,.0f} MB after a tenth, {end:,.0f} MB at the end"
    )


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmark_stream.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", default="axlstm_tiny", help="default: %(default)s")
    parser.add_argument("--pushes", type=int, default=500, metavar="N", help="default: 500")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="of audio in parts (default: 10)"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, metavar="M", help="of audio; 0: not (default: 10)"
    )
    parser.add_argument("--cores", type=int, metavar="N", help="use only N cores (Linux)")
    parser.add_argument(
        "--output",
        type=Path,
        default=environment.ROOT / "tools" / "benchmarks",
        metavar="DIR",
        help="folder for <date>-stream-<backend>-<device>.json and .md, numbered where they exist "
        "(default: tools/benchmarks)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
