"""Of any files of nasty values, every row is in exactly one place, and the money ties out."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS
from tests.examples import MANY, examples
from tests.hostile import refusal, with_sources
from tests.nasty_rows import MARKER, NastyRow, Style, files, styles
from tests.nasty_writing import packed, written
from tests.purchases import source_document

KINDS = ("csv", "multiline", "json", "excel", "parquet", "sqlite")
FEW = settings(
    max_examples=examples(2),
    deadline=None,
    derandomize=MANY is None,
    database=None,
    # Shrinking would run Spark for hours.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_NUMBERS = itertools.count()


def _document(folder: Path, contents: Sequence[bytes], style: Style) -> dict[str, Any]:
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number}").write_bytes(packed(content, style))
    return source_document(folder, most_rejected_ratio=1.0, **style.settings())


def _kept(work: Workspace, name: str) -> dict[str, Row]:
    """Marker → kept line."""
    lines = work.lake.read(TRANSACTIONS).filter(F.col("source") == name)
    at = F.unix_micros("transaction_at").alias("at_micros")
    rows = lines.select("order_id", "customer_id", "line_amount", "copies_count", at).collect()
    found = {row["order_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def _rejected(work: Workspace, name: str) -> Counter[str]:
    """Marker → how many refused rows it stands in."""
    lines = work.lake.read(REJECTED_TRANSACTIONS).filter(F.col("source") == name)
    found: Counter[str] = Counter()
    for row in lines.select("raw_row", "copies_count").collect():
        (marker,) = set(MARKER.findall(row["raw_row"]))
        found[marker] += row["copies_count"]
    return found


def _check_rows(work: Workspace, name: str, rows: Sequence[NastyRow]) -> None:
    """Every row is kept or refused, as it must be, and is not both."""
    kept, rejected = _kept(work, name), _rejected(work, name)
    expected = {row.cells[2]: row for row in rows}
    good = {marker: row for marker, row in expected.items() if row.amount is not None}
    bad = {marker: row for marker, row in expected.items() if row.amount is None}
    assert kept.keys() == good.keys(), [expected[marker] for marker in kept.keys() ^ good.keys()]
    assert rejected == {marker: row.copies for marker, row in bad.items()}
    for marker, row in good.items():
        found = kept[marker]
        assert row.at is not None
        since = row.at - datetime(1970, 1, 1, tzinfo=UTC)
        micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        assert (
            found["customer_id"],
            found["line_amount"],
            found["copies_count"],
            found["at_micros"],
        ) == (row.customer_id, row.amount, row.copies, micros), row


def _check_books(work: Workspace, name: str, rows: Sequence[Sequence[NastyRow]]) -> None:
    """Each file's books hold its rows and the money of its good ones."""
    kinds = ("kept", "duplicate", "rejected")
    batches = [row for row in current_batches(work) if row["source"] == name]
    for batch in batches:
        assert batch["in_row_count"] == sum(batch[f"{kind}_row_count"] for kind in kinds)
        assert batch["in_amount"] == sum(batch[f"{kind}_amount"] for kind in kinds)
    found = {
        int(batch["file_name"].partition("/")[0]): tuple(
            batch[figure]
            for figure in (
                *(f"{kind}_row_count" for kind in kinds),
                "guest_row_count",
                "kept_amount",
                "duplicate_amount",
            )
        )
        for batch in batches
    }
    assert found == {number: _figures(members) for number, members in enumerate(rows)}


def _figures(rows: Sequence[NastyRow]) -> tuple[int | Decimal, ...]:
    """Rows kept, copies and refused, guests among the kept, money of the kept and the copies."""
    good = [(row, row.amount) for row in rows if row.amount is not None]
    return (
        len(good),
        sum(row.copies - 1 for row, _ in good),
        sum(row.copies for row in rows if row.amount is None),
        sum(row.customer_id is None for row, _ in good),
        sum((amount for _, amount in good), Decimal(0)),
        sum((amount * (row.copies - 1) for row, amount in good), Decimal(0)),
    )


def _passes_for_utf8(content: bytes, style: Style) -> bool:
    """Whether a file in a single-byte encoding reads as UTF-8, too, and is refused for it."""
    if style.encoding not in {"ISO-8859-1", "windows-1252"} or content.isascii():
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_in_one_place_and_the_money_ties_out(
    one_good_batch: Workspace, tmp_path: Path, kind: str
) -> None:
    @FEW
    @given(st.data())
    def check(data: st.DataObject) -> None:
        style = data.draw(styles(kind))
        rows = data.draw(files(style))
        contents = [written(members, style) for members in rows]
        name = f"random_{next(_NUMBERS)}"
        document = _document(tmp_path / name, contents, style)
        if any(_passes_for_utf8(content, style) for content in contents):
            assert "is UTF-8, where the source says" in refusal(one_good_batch, document)
            return
        work = with_sources(one_good_batch, {name: document})
        ingest(work)
        _check_rows(work, name, [row for members in rows for row in members])
        _check_books(work, name, rows)

    check()


FLAWS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a NUL byte": (lambda content: content + b"\0\n", "holds a NUL byte: send the file again"),
    "another delimiter": (lambda content: content.replace(b",", b"^"), "there is no column who"),
    "a missing column": (
        lambda content: content.replace(b"units", b"x"),
        "there is no column units",
    ),
    "a doubled column": (lambda content: content.replace(b"note", b"at", 1), "names the column at"),
    "nothing in it": (lambda _: b"", "is empty: send the file again"),
    "another encoding": (lambda content: content + b"\xe9\n", "has bytes that are not UTF-8"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_one_bad_file_among_any_others_keeps_them_all_out(
    one_good_batch: Workspace, tmp_path: Path, flaw: str
) -> None:
    spoil, sentence = FLAWS[flaw]

    @settings(FEW, max_examples=1)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        drawn = data.draw(styles("csv"))
        style = replace(drawn, delimiter=",", encoding="UTF-8")
        contents = [written(members, style) for members in data.draw(files(style))]
        number = data.draw(st.integers(0, len(contents) - 1))
        contents[number] = spoil(contents[number])
        document = _document(tmp_path / f"{next(_NUMBERS)}", contents, style)
        assert sentence in refusal(one_good_batch, document)

    check()
