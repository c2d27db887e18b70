"""Plain text tables."""

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(header, *cells, strict=True))
    lines = zip(*map(_align, columns), strict=True)
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _align(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    if all(cell.replace(",", "").replace(".", "", 1).isdigit() for cell in column[1:]):
        return [cell.rjust(width) for cell in column]
    return [cell.ljust(width) for cell in column]
