"""Text and tables of the generated pages."""

import re
from collections.abc import Sequence

GENERATED = (
    "<!-- Written by scripts/write_reference.py: change the source, then run `make docs`. -->"
)


def prose(text: str | None) -> str:
    """The text on one line."""
    return re.sub(r"\s+", " ", text or "").strip()


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, each row on a line of its own."""
    lines = [heads, ["---"] * len(heads), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in escaped)
