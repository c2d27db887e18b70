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
        raise ValueError(f"none of the {len(failures)} files could be read")
    if failures:
        print(f"{len(failures)} files were skipped", file=sys.stderr)
        return EXIT_SKIPPED
    return 0
