"""Rows as aligned text."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

_MOST_ROWS = 1000


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


def frame_text(df: DataFrame) -> str:
    """Align a frame's rows, at most 1,000, and say where there are more."""
    rows = df.limit(_MOST_ROWS + 1).collect()
    shown = [tuple("NULL" if v is None else str(v) for v in row) for row in rows[:_MOST_ROWS]]
    text = aligned([tuple(df.columns), *shown])
    more = f"\n… only the first {_MOST_ROWS:,} rows are shown" if len(rows) > _MOST_ROWS else ""
    return text + more
