"""SQLite tables become tables of texts, and what cannot be read is said in a sentence."""

import sqlite3
from pathlib import Path

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.reading.sqlite_files import databases, open_sqlite
from tests.delivered import written


def database(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def read(path: Path, table: str) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    with open_sqlite(path, table=table, name="shop.db") as found:
        return found.columns, [tuple(row) for row in found.rows]


def test_every_value_becomes_its_text(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE lines (who TEXT, units INTEGER, price REAL, note TEXT)",
        "INSERT INTO lines VALUES ('7', 9223372036854775807, 2.55, NULL), ('é', -1, 0.1, '')",
    )
    assert read(path, "lines") == (
        ("who", "units", "price", "note"),
        [("7", "9223372036854775807", "2.55", None), ("é", "-1", "0.1", "")],
    )


def test_what_a_database_keeps_beside_itself_in_a_folder_is_no_database(tmp_path: Path) -> None:
    for name in ("a.db", "a.db-wal", "a.db-shm", "b/a.db-journal", "c.db-journal", "c.db"):
        written(tmp_path / name, "")
    found = databases(LocalStore().find(str(tmp_path)))
    assert [file.label for file in found] == ["a.db", "b/a.db-journal", "c.db"]


def test_a_view_and_names_with_signs_are_read(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a b?#%41.db",
        'CREATE TABLE "my ""best"" lines; --" (who TEXT)',
        'INSERT INTO "my ""best"" lines; --" VALUES (\'7\')',
        'CREATE VIEW shown AS SELECT who AS "the one" FROM "my ""best"" lines; --"',
    )
    assert read(path, 'my "best" lines; --') == (("who",), [("7",)])
    assert read(path, "shown") == (("the one",), [("7",)])


def test_a_table_name_that_is_sql_is_not_found_and_does_nothing(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", *(f"CREATE TABLE t{n:02d} (x)" for n in range(12)))
    with pytest.raises(IngestError) as caught:
        read(path, "t00; DROP TABLE t00")
    assert str(caught.value) == (
        "shop.db: there is no table or view 't00; DROP TABLE t00'; there are t00, t01, t02, t03, "
        "t04, t05, t06, t07, t08, t09 and 2 more: correct format.table of the source"
    )
    assert read(path, "t00") == (("x",), [])


def test_binary_data_is_refused_with_its_column(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db", "CREATE TABLE t (who, photo)", "INSERT INTO t VALUES ('7', x'00ff')"
    )
    with pytest.raises(IngestError, match=r"shop\.db: table t: column photo: holds binary data"):
        read(path, "t")


def test_a_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE t (who)",
        "INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))",
    )
    with pytest.raises(IngestError, match=r"shop\.db: a text is not UTF-8"):
        read(path, "t")


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(IngestError, match=r"shop\.db: .*(as an SQLite database|are none)"):
        read(path, "t")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "CREATE TABLE t (who)")
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 100)
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(IngestError, match=r"shop\.db: cannot be read as an SQLite database"):
        read(path, "t")


def test_a_database_cut_anywhere_behind_its_first_page_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "PRAGMA page_size = 512", "CREATE TABLE t (who)")
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 300,)] * 4)
    connection.commit()
    connection.close()
    whole = path.read_bytes()
    assert read(path, "t")[1] == [("x" * 300,)] * 4
    for length in range(513, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(
            IngestError, match=r"shop\.db: .*: send (it again, whole|the file again)"
        ):
            read(path, "t")


def test_a_locked_database_is_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segspark.ingest.reading.sqlite_files._LOCK_SECONDS", 0.05)
    path = database(tmp_path / "a.db", "CREATE TABLE t (who)")
    writer = sqlite3.connect(path)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(IngestError, match=r"shop\.db: is locked by a program"):
        read(path, "t")
    writer.close()


@pytest.mark.parametrize("journal", ["wal", "delete", "persist"])
def test_a_database_with_changes_under_way_beside_it_is_refused_until_they_are_done(
    tmp_path: Path, journal: str
) -> None:
    place = database(tmp_path / "a.db", f"PRAGMA journal_mode = {journal}", "CREATE TABLE t (who)")
    path = tmp_path / "link.db"
    path.symlink_to(place)
    writer = sqlite3.connect(place)
    writer.execute(f"PRAGMA journal_mode = {journal}")
    # So little memory that a transaction goes to the file before it is done.
    writer.execute("PRAGMA cache_size = 1")
    rows = [("x" * 500,)] * 100
    writer.executemany("INSERT INTO t VALUES (?)", rows)
    if journal == "wal":
        writer.commit()
    beside = "a.db-wal" if journal == "wal" else "a.db-journal"
    with pytest.raises(IngestError) as caught:
        read(path, "t")
    assert str(caught.value) == (
        f"shop.db: has changes beside it, in {beside}, that are under way: close the program that "
        "writes to it, or send a copy made by VACUUM INTO"
    )
    writer.commit()
    writer.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    assert read(tmp_path / "copy.db", "t") == (("who",), rows)
    writer.close()
    assert read(path, "t") == (("who",), rows)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_reading_writes_nothing(tmp_path: Path, journal: str) -> None:
    path = database(tmp_path / "a.db", f"PRAGMA journal_mode = {journal}", "CREATE TABLE t (who)")
    before = path.read_bytes()
    read(path, "t")
    with open_sqlite(path, table="t", name="shop.db"):
        pass
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]
