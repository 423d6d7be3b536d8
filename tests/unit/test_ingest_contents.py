"""What a source's files are taken in as, and what is remembered of them."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import Row

from segspark.errors import IngestError
from segspark.ingest.files.contents import check_no_file_counts_twice, file_contents
from segspark.ingest.files.seen_files import TakenFile, as_seen_files, seen_files
from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.files.stores import FoundFile
from segspark.settings.formats import CsvFormat
from segspark.settings.sources import Source
from tests.purchases import source

CSV = CsvFormat(kind="csv")


def file(label: str, content: str, *, member: str | None = None) -> SourceFile:
    mark = f"mark of {label if member else content}"
    found = FoundFile(f"/in/{label}", label, mark, datetime(2026, 1, 1, tzinfo=UTC))
    return SourceFile(found, member, "none", content)


def folders() -> Source:
    return source(one_batch_per="folder")


def test_files_of_equal_bytes_are_one_content_with_the_names_of_its_copies() -> None:
    (content,) = file_contents([file("a.csv", "1"), file("b.csv", "1")], source()).values()
    assert (content.name, content.copies) == ("a.csv", ("b.csv",))


def test_equal_files_of_folders_that_name_a_column_are_contents_of_their_own() -> None:
    files = [file("day=1/a.csv", "1"), file("day=2/a.csv", "1")]
    assert [c.name for c in file_contents(files, source()).values()] == [f.name for f in files]


def twice(*files: SourceFile, taken: list[TakenFile], counting: set[str]) -> None:
    contents = file_contents(files, folders())
    check_no_file_counts_twice("shop", contents, taken=taken, counting=counting)


def test_folders_that_share_a_file_are_refused_with_both_names() -> None:
    with pytest.raises(IngestError, match=r"shop: two/b\.csv equals one/a\.csv.* twice: take one"):
        twice(file("one/a.csv", "1"), file("two/b.csv", "1"), file("two/c.csv", "2"),
              taken=[], counting=set())  # fmt: skip


def test_a_file_of_a_folder_that_is_gone_and_counts_is_not_taken_in_with_another() -> None:
    gone = [TakenFile("one/a.csv", "1", "folder one")]
    with pytest.raises(IngestError, match=r"two/b\.csv equals one/a\.csv"):
        twice(file("two/b.csv", "1"), file("two/c.csv", "2"), taken=gone, counting={"folder one"})
    twice(file("two/b.csv", "1"), file("two/c.csv", "2"), taken=gone, counting=set())


def test_a_folder_that_is_known_or_equal_to_another_shares_no_file() -> None:
    files = [file("one/a.csv", "1"), file("one/b.csv", "2")]
    (digest,) = file_contents(files, folders())
    known = [TakenFile("one/a.csv", "1", digest), TakenFile("one/b.csv", "2", digest)]
    twice(*files, taken=known, counting={digest})
    twice(*files, file("two/a.csv", "1"), file("two/b.csv", "2"), taken=[], counting=set())


def remembered(
    *files: SourceFile, taken_as: dict[str, str], before: list[Row]
) -> list[tuple[str, str, list[str]]]:
    """Label, fingerprint, and the contents that the files were taken in as."""
    rows = seen_files("shop", CSV, files, taken_as=taken_as, before=before)
    return [(row[1], row[3], [item[3] for item in row[4]]) for row in rows]


def row(label: str, content: str) -> Row:
    item = Row(member=None, packing="none", content_hash=content, taken_as=content)
    return Row(source="shop", label=label, format_hash="any", fingerprint=f"mark of {content}",
               contents=[item])  # fmt: skip


def test_a_file_that_is_gone_or_not_taken_in_keeps_what_was_known_of_its_name() -> None:
    before = [row("gone.csv", "1"), row("bad.csv", "2"), row("good.csv", "3")]
    found = remembered(
        file("bad.csv", "4"), file("good.csv", "5"), taken_as={"good.csv": "5"}, before=before
    )
    assert found == [
        ("bad.csv", "mark of 2", ["2"]),
        ("gone.csv", "mark of 1", ["1"]),
        ("good.csv", "mark of 5", ["5"]),
    ]


def test_an_archive_is_remembered_once_all_its_members_are_taken_in() -> None:
    members = [file("a.zip", "1", member="x.csv"), file("a.zip", "2", member="y.csv")]
    assert remembered(*members, taken_as={"a.zip/x.csv": "1"}, before=[]) == []
    both = {"a.zip/x.csv": "1", "a.zip/y.csv": "2"}
    assert remembered(*members, taken_as=both, before=[]) == [
        ("a.zip", "mark of a.zip", ["1", "2"])
    ]


def test_what_is_remembered_of_the_same_files_stays_the_same() -> None:
    before = [row("b.csv", "2"), row("a.csv", "1")]
    assert seen_files("shop", CSV, [], taken_as={}, before=before) == as_seen_files(before)
