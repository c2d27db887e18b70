"""Time the encoders and their recurrence on every backend: see --help.

python tools/benchmark.py [OPTIONS]
"""

import signal
import sys
from typing import Any

from benchmarking import arguments, environment
from benchmarking.cases import PEERS, plan
from benchmarking.report import summary
from benchmarking.results import Results, load_records, without_done
from benchmarking.rivals import official_rivals, peer_rivals
from benchmarking.runner import Effort, run_group

FAILED_CASES = 3
INTERRUPTED = 130


def main(argv: list[str]) -> int:
    """Run the benchmark and give the exit code."""
    options = arguments.parse(argv)
    official = options.official.resolve() if options.official else None
    described = environment.describe(argv)
    rivals_of_models, notes = official_rivals(official, described["gpu"])
    rivals_of_op, peer_notes = (
        ([], [])
        if options.peers is None
        else peer_rivals(options.peers or PEERS, options.dtypes, described["gpu"])
    )
    groups = plan(
        backends=options.backends,
        sizes=options.sizes,
        models=options.models,
        batches=options.batches,
        steps=options.steps,
        dtypes=options.dtypes,
        implementations=options.implementations,
        forms=options.forms,
        modes=options.modes,
        with_torch_compile=options.compile,
        rivals_of_models=rivals_of_models,
        rivals_of_op=rivals_of_op,
    )
    carried = []
    if options.resume:
        try:
            carried = load_records(options.resume, described)
        except (OSError, ValueError, KeyError) as error:
            print(f"benchmark.py: error: --resume: {error}", file=sys.stderr)
            return 2
    results = Results(options.output, described, [*notes, *peer_notes], carried)
    left = without_done(groups, carried)
    effort = Effort(
        options.repeats, options.warm_up, options.max_seconds, together=options.together
    )

    def add(record: dict[str, Any]) -> None:
        results.add(record)
        print(f"    {summary(record)}", file=sys.stderr, flush=True)

    interrupted = False
    try:
        for i, group in enumerate(left, 1):
            print(f"[{i}/{len(left)}]", file=sys.stderr, flush=True)
            run_group(group, effort, official, add)
    except KeyboardInterrupt:
        interrupted = True
    print(results.table())
    print(f"Written: {results.json_path} and {results.markdown_path.name}", file=sys.stderr)
    if interrupted:
        print("Interrupted: --resume with the JSON file goes on from there.", file=sys.stderr)
        return INTERRUPTED
    return FAILED_CASES if results.failed else 0


if __name__ == "__main__":
    # Ended from outside, too, the run ends its processes and keeps what is done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
