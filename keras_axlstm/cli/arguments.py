"""Types of command-line values: each gives the value or says what was expected."""

import argparse
import math
from typing import TypeVar

Number = TypeVar("Number", int, float)


def positive_integer(text: str) -> int:
    """1, 2, 3, ..."""
    value = _parse(int, text)
    if value is None or value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, received {text!r}")
    return value


def non_negative_integer(text: str) -> int:
    """0, 1, 2, ..."""
    value = _parse(int, text)
    if value is None or value < 0:
        raise argparse.ArgumentTypeError(f"expected an integer of 0 or more, received {text!r}")
    return value


def positive_number(text: str) -> float:
    """A finite number above 0."""
    value = _parse(float, text)
    if value is None or not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number, received {text!r}")
    return value


def fraction(text: str) -> float:
    """A number from 0 up to, but not including, 1."""
    value = _parse(float, text)
    if value is None or not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to below 1, received {text!r}")
    return value


def _parse(kind: type[Number], text: str) -> Number | None:
    try:
        return kind(text)
    except ValueError:
        return None
