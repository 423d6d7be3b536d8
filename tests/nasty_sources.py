"""Sources of nasty rows: one entity, in files of one style."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.nasty_rows import ATTRIBUTES, NastyRow, Style, files, styles
from tests.nasty_writing import write_source, written
from tests.purchases import PRICED

_COLUMNS: dict[str, dict[str, Any]] = {
    "transactions": {**PRICED, "description": "note"},
    "customers": {"customer_id": "who", "attributes": list(ATTRIBUTES)},
}
_OWN: dict[str, dict[str, Any]] = {"transactions": {"currency": "EUR"}, "customers": {}}
ENTITIES = tuple(_COLUMNS)


@dataclass(frozen=True, slots=True)
class NastySource:
    """A source as it is sent.

    Attributes:
        entity: What its rows are.
        style: How its files are written.
        files: The rows of each.
    """

    entity: str
    style: Style
    files: list[list[NastyRow]]

    def contents(self) -> list[bytes]:
        """The files' bytes, not packed."""
        return [written(rows, self.style) for rows in self.files]

    def sent(self, folder: Path) -> dict[str, Any]:
        """Write the files to a folder; returns the source as a user writes it."""
        return self.document(write_source(self.contents(), self.style, folder))

    def document(self, location: Path) -> dict[str, Any]:
        """The source as a user writes it, whose files are there."""
        return {
            "entity": self.entity,
            "location": str(location),
            "columns": _COLUMNS[self.entity],
            "most_rejected_ratio": 1.0,
            **_OWN[self.entity],
            **self.style.settings(),
        }

    def good(self, row: NastyRow) -> tuple[Any, ...] | None:
        """What the row must become; None where it must be refused."""
        return row.as_purchase() if self.entity == "transactions" else row.as_customer()

    def figures(self, number: int) -> tuple[int | Decimal, ...]:
        """Of one file: rows kept, copies, refused and guests, money of the kept and the copies."""
        good = [row for row in self.files[number] if self.good(row) is not None]
        money = {row: row.amount or Decimal(0) for row in good}
        if self.entity != "transactions":
            money = dict.fromkeys(good, Decimal(0))
        return (
            len(good),
            sum(row.copies - 1 for row in good),
            sum(row.copies for row in self.files[number]) - sum(row.copies for row in good),
            sum(row.customer_id is None for row in good),
            sum(money.values(), Decimal(0)),
            sum((money[row] * (row.copies - 1) for row in good), Decimal(0)),
        )


@st.composite
def sources(
    draw: st.DrawFn,
    /,
    kind: str,
    *,
    entity: str | None = None,
    fewest: int = 1,
    **fixed: Any,  # noqa: ANN401 - of any field of a style
) -> NastySource:
    """A source of at least so many files of one kind; what is not given is drawn."""
    entity = entity or draw(st.sampled_from(ENTITIES))
    style = draw(styles(kind, **fixed))
    plain = st.builds(NastySource, st.just(entity), st.just(style), files(style, fewest=fewest))
    return draw(plain.filter(lambda source: not _passes_for_utf8(source)))


def _passes_for_utf8(source: NastySource) -> bool:
    """Whether a file in a single-byte encoding reads as UTF-8, too, and is refused for it."""
    if source.style.encoding not in {"ISO-8859-1", "windows-1252"}:
        return False
    return any(map(_is_utf8, source.contents()))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not content.isascii()
