"""Of any sources of nasty values, every row is in exactly one place, and the money ties out."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest, intake_outcome
from segspark.pipeline.stage import Workspace
from segspark.tables.entities import CUSTOMERS, REJECTED_CUSTOMERS
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS
from tests.examples import MANY, examples
from tests.hostile import refusal, with_sources
from tests.nasty_rows import KINDS, MARKER
from tests.nasty_sources import NastySource, sources
from tests.nasty_writing import write_source

Check = Callable[..., None]
FIGURES = (
    "kept_row_count", "duplicate_row_count", "rejected_row_count", "guest_row_count",
    "kept_amount", "duplicate_amount",
)  # fmt: skip
_NUMBERS = itertools.count()


def drawing(case: str, *, few: int = 1) -> Callable[[Check], Check]:
    """Draw a few examples, the same each time but others in each case, or what a soak asks for."""
    plain = settings(
        max_examples=examples(few),
        deadline=None,
        database=None,
        # Shrinking would run Spark for hours.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return lambda check: plain(check if MANY else seed(crc32(case.encode()))(check))


def _purchases(work: Workspace) -> tuple[DataFrame, DataFrame]:
    """The kept rows as marker, copies and what `NastyRow.as_purchase` says; the refused ones."""
    at = F.unix_micros("transaction_at").alias("at_micros")
    found = ("source", "order_id", "copies_count", "customer_id", "line_amount", at)
    return work.lake.read(TRANSACTIONS).select(*found), work.lake.read(REJECTED_TRANSACTIONS)


def _customers(work: Workspace) -> tuple[DataFrame, DataFrame]:
    """The kept rows as marker, copies and what `NastyRow.as_customer` says; the refused ones."""
    found = ("source", F.col("attributes")["order"], "copies_count", "customer_id", "attributes")
    return work.lake.read(CUSTOMERS).select(*found), work.lake.read(REJECTED_CUSTOMERS)


def _check_rows(work: Workspace, name: str, source: NastySource) -> None:
    """Every row is kept or refused, as it must be, and is not both."""
    tables = {"transactions": _purchases, "customers": _customers}[source.entity](work)
    kept, refused = (table.filter(F.col("source") == name) for table in tables)
    lines = kept.drop("source").collect()
    rejected: Counter[str] = Counter()
    for row in refused.select("raw_row", "copies_count").collect():
        (marker,) = set(MARKER.findall(row["raw_row"]))
        rejected[marker] += row["copies_count"]
    becoming = [(row, source.good(row)) for members in source.files for row in members]
    found = {marker: tuple(values) for marker, *values in lines}
    assert len(found) == len(lines)
    assert found == {row.marker: (row.copies, *good) for row, good in becoming if good is not None}
    assert rejected == {row.marker: row.copies for row, good in becoming if good is None}


def _check_books(work: Workspace, sent: Mapping[str, NastySource]) -> None:
    """The books hold the rows and the money of each file, and those of all files."""
    found = {}
    for batch in current_batches(work):
        place = batch["source"], int(batch["file_name"].partition("/")[0])
        found[place] = tuple(batch[figure] for figure in FIGURES)
        for figure in ("row_count", "amount"):
            parts = [batch[f"{part}_{figure}"] for part in ("kept", "duplicate", "rejected")]
            assert batch[f"in_{figure}"] == sum(parts)
    expected = {
        (name, number): source.figures(number)
        for name, source in sent.items()
        for number in range(len(source.files))
    }
    assert found == expected
    audit = intake_outcome(current_batches(work)).audit
    totals = [sum(column, Decimal(0)) for column in zip(*expected.values(), strict=True)]
    assert [Decimal(audit[figure]) for figure in FIGURES] == totals


def _check_sources(lake: Workspace, folder: Path, drawn: list[NastySource]) -> None:
    """Take sources in by one ingest, and look where their rows and money are."""
    sent = {f"random_{next(_NUMBERS)}": source for source in drawn}
    documents = {name: source.sent(folder / name) for name, source in sent.items()}
    work = with_sources(lake, documents)
    ingest(work)
    for name, source in sent.items():
        _check_rows(work, name, source)
    _check_books(work, sent)


# Each file of a source is packed in the next way from the one named here on, so that texts in each
# encoding come in every packing.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "csv": ("csv", {"encoding": "UTF-8", "packing": "none", "is_european": False}),
    "json": ("json", {"encoding": "UTF-8", "packing": "zip", "is_european": True}),
    "csv with line breaks in UTF-16": (
        "multiline",
        {"encoding": "UTF-16", "packing": "none", "is_european": True},
    ),
    "csv of customers in UTF-16": (
        "csv",
        {"encoding": "UTF-16", "packing": "zip", "entity": "customers"},
    ),
    "json in ISO-8859-1": (
        "json",
        {"encoding": "ISO-8859-1", "packing": "none", "is_european": False},
    ),
    "fixed width in ISO-8859-1": (
        "fixed_width",
        {"encoding": "ISO-8859-1", "packing": "zip", "is_european": True},
    ),
    "fixed width in windows-1252": (
        "fixed_width",
        {"encoding": "windows-1252", "packing": "none", "is_european": False},
    ),
    "csv with line breaks in windows-1252": (
        "multiline",
        {"encoding": "windows-1252", "packing": "zip", "is_european": True},
    ),
    "csv in US-ASCII": ("csv", {"encoding": "US-ASCII", "packing": "none", "is_european": True}),
    "fixed width of customers in US-ASCII": (
        "fixed_width",
        {"encoding": "US-ASCII", "packing": "zip", "entity": "customers"},
    ),
    "excel": ("excel", {"packing": "none", "is_european": True}),
    "parquet of customers": ("parquet", {"packing": "zip", "entity": "customers"}),
    "orc": ("orc", {"packing": "none", "is_european": True}),
    "sqlite": ("sqlite", {"packing": "zip", "is_european": False}),
    "delta": ("delta", {"is_european": True}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_row_is_in_one_place_and_the_money_ties_out(
    one_good_batch: Workspace, tmp_path: Path, case: str
) -> None:
    kind, fixed = CASES[case]
    chosen = {"entity": "transactions", "fewest": 2, **fixed}

    @drawing(case)
    @given(sources(kind, **chosen).filter(_has_good_rows))
    def check(source: NastySource) -> None:
        _check_sources(one_good_batch, tmp_path, [source])

    check()


def _has_good_rows(source: NastySource) -> bool:
    return any(source.good(row) for members in source.files for row in members)


def test_sources_of_any_kinds_and_entities_tie_out_together(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    kinds = st.lists(st.sampled_from(KINDS), min_size=2, max_size=4)

    @drawing("together", few=2)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        drawn = [data.draw(sources(kind).filter(_has_good_rows)) for kind in data.draw(kinds)]
        _check_sources(one_good_batch, tmp_path, drawn)

    check()


FLAWS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a NUL byte": (lambda content: content + b"\0\n", "holds a NUL byte: send the file again"),
    "nothing in it": (lambda _: b"", "is empty: send the file again"),
    "another encoding": (lambda content: content + b"\xe9\n", "has bytes that are not UTF-8"),
    "another delimiter": (lambda content: content.replace(b",", b"^"), "there is no column who"),
    "a missing column": (
        lambda content: content.replace(b"units", b"x"),
        "there is no column units",
    ),
    "a doubled column": (lambda content: content.replace(b"note", b"at", 1), "names the column at"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_one_bad_file_behind_any_others_keeps_them_all_out(
    one_good_batch: Workspace, tmp_path: Path, flaw: str
) -> None:
    spoil, sentence = FLAWS[flaw]
    plain = {"entity": "transactions", "delimiter": ",", "encoding": "UTF-8"}

    @drawing(flaw)
    @given(sources("csv", fewest=2, **plain).filter(_has_good_rows))
    def check(source: NastySource) -> None:
        *good, bad = source.contents()
        folder = tmp_path / f"{next(_NUMBERS)}"
        write_source([*good, spoil(bad)], source.style, folder)
        assert sentence in refusal(one_good_batch, source.document(folder))

    check()
