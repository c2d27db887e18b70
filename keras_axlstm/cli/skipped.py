"""Reporting files that could not be read."""

import os
import sys
from collections.abc import Sequence

EXIT_SKIPPED = 3


def report_skipped(failures: Sequence[tuple[str | os.PathLike, str]], done: int) -> int:
    """List the files that were skipped, and give the exit code.

    Args:
        failures: pairs of path and reason.
        done: how many files were not skipped.

    Raises:
        ValueError: every file was skipped.
    """
    for _, reason in failures:
        print(f"skipped: {reason}", file=sys.stderr)
    if failures and not done:
        raise ValueError(
            f"None of the {len(failures)} files could be read. First reason: {failures[0][1]}"
        )
    if failures:
        count = "1 file was" if len(failures) == 1 else f"{len(failures)} files were"
        print(f"{count} skipped", file=sys.stderr)
        return EXIT_SKIPPED
    return 0
