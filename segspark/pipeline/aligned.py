"""Rows as aligned text."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lines of text: the headings, a rule below them, and the rows; all but the first to the right.

    Args:
        rows: The headings and the rows, all of the same length.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = [
        [cell.rjust(width) if place else cell.ljust(width)
         for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
        for row in (rows[0], ["-" * width for width in widths], *rows[1:])
    ]  # fmt: skip
    return "\n".join("  ".join(row).rstrip() for row in cells)
