"""Command lines that a module's docstring describes."""

import argparse


def docstring_parser(docstring: str | None) -> argparse.ArgumentParser:
    """A parser whose usage is the first paragraph of a docstring, and its help the rest."""
    usage, _, details = (docstring or "").partition("\n\n")
    return argparse.ArgumentParser(
        description=details,
        usage=usage.removeprefix("Usage: "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
