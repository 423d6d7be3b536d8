"""What goes wrong around a file ends in one sentence, and no table changes."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from segspark.errors import ConfigError, SegsparkError
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import load_settings
from segspark.tables.purchases import TRANSACTIONS
from tests.databases import shop_source
from tests.disks import as_nobody, open_to_everyone
from tests.hostile import LINE, line, refusal, text, versions, with_sources
from tests.postgres import postgres_server
from tests.purchases import HEADER, source_document, values

SQL = 'orders"; DROP TABLE orders; --'
ROW = tuple(LINE.split(","))


def _sqlite(path: Path) -> Path:
    """A database with one line in `orders`, and another line in a table whose name is SQL."""
    identifier = SQL.replace('"', '""')
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, what in (("orders", "mug"), (identifier, "cup")):
            columns = HEADER.replace("order", '"order"')
            connection.execute(f'CREATE TABLE "{table}" ({columns})')
            row = tuple(line(what=what).split(","))
            connection.execute(f'INSERT INTO "{table}" VALUES (?, ?, ?, ?, ?, ?)', row)  # noqa: S608 - its own
    return path


def test_a_table_name_that_is_sql_is_only_a_name(one_good_batch: Workspace, tmp_path: Path) -> None:
    path = _sqlite(tmp_path / "shop.db")
    document = source_document(path, format={"kind": "sqlite", "table": SQL})
    ingest(with_sources(one_good_batch, {"sql": document}))
    found = one_good_batch.lake.read(TRANSACTIONS).filter("source = 'sql'")
    assert values(found, "product_id", "line_amount") == [("cup", Decimal(3))]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT what FROM orders").fetchall() == [("mug",)]


def test_a_table_name_that_is_sql_and_not_there_is_refused(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    path = _sqlite(tmp_path / "shop.db")
    named = 'orders" UNION SELECT * FROM sqlite_master --'
    told = refusal(one_good_batch, source_document(path, format={"kind": "sqlite", "table": named}))
    assert told == (
        f"shop.db: there is no table or view {named!r}; there are orders, {SQL}: correct "
        "format.table of the source"
    )


def test_a_database_file_with_changes_beside_it_is_refused(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    path = _sqlite(tmp_path / "shop.db")
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("DELETE FROM orders")
        writer.commit()
        document = source_document(path, format={"kind": "sqlite", "table": "orders"})
        told = refusal(one_good_batch, document)
    assert told == (
        "shop.db: has changes beside it, in shop.db-wal, that are under way: close the program "
        "that writes to it, or send a copy made by VACUUM INTO"
    )


def test_a_table_of_a_database_cannot_be_sql(tmp_path: Path) -> None:
    document = tmp_path / "segspark.yaml"
    document.write_text(
        "sources:\n  shop:\n    location: jdbc:postgresql://db/shop\n    currency: EUR\n"
        "    format: {kind: jdbc, table: '(SELECT * FROM secrets) AS orders'}\n"
        "    columns: {customer_id: who, transaction_at: at, line_amount: paid}\n"
    )
    with pytest.raises(ConfigError) as refused:
        load_settings(document)
    assert "sources.shop" in str(refused.value)
    assert "table" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("..", "is a link to a folder that holds it: remove the link"),
        ("loop", "is a link that leads back to itself: remove the link"),
    ],
)
def test_a_link_that_leads_back_is_refused(
    one_good_batch: Workspace, tmp_path: Path, target: str, sentence: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_bytes(text(LINE))
    (folder / "loop").symlink_to(target)
    assert refusal(one_good_batch, source_document(folder)) == f"{folder}/loop: {sentence}"


def test_a_database_that_goes_away_midway_changes_no_table(
    one_good_batch: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with postgres_server() as server:
        monkeypatch.setenv("SHOP_PASSWORD", server.password)
        server.run("""
            CREATE VIEW orders AS
            SELECT n AS customer, timestamp '2026-03-01' AS at, 1 AS amount
            FROM generate_series(1, 100000) AS n WHERE pg_sleep(0.01) IS NOT NULL
        """)
        document = shop_source(server, fetch_rows=10).model_dump(mode="json", exclude_none=True)
        with server.stopping_midway():
            told = refusal(one_good_batch, document)
    assert told.startswith("source new: table orders of jdbc:postgresql://127.0.0.1:")
    assert "terminating connection" in told or "I/O error" in told, told
    assert told.endswith(
        ": check location, user, password and table of sources.new, and that it answers"
    )
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("rows", "columns", "sentence"),
    [
        ([ROW[:-1]], HEADER.split(",")[:-1], "source new: its table: there is no column price; "),
        ([], HEADER.split(","), "source new: in holds no rows but its header: "),
    ],
)
def test_a_table_without_a_column_or_rows_keeps_out_the_source_before_it(
    one_good_batch: Workspace,
    tmp_path: Path,
    rows: list[tuple[str, ...]],
    columns: list[str],
    sentence: str,
) -> None:
    schema = ", ".join(f"`{column}` string" for column in columns)
    table = one_good_batch.lake.spark.createDataFrame(rows, schema)
    table.write.format("delta").save(str(tmp_path / "in"))
    (tmp_path / "before.csv").write_bytes(text(LINE))
    others = {"before": source_document(tmp_path / "before.csv")}
    document = source_document(tmp_path / "in", format={"kind": "delta"})
    assert refusal(one_good_batch, document, others=others).startswith(sentence)


RATES = "rate_date,currency,rate"


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        (None, "cannot be read ([PATH_NOT_FOUND] Path does not exist: file:{path}. SQLSTATE: "
               "42K03): check exchange_rates of the source"),
        ("", "there is no column currency, rate, rate_date: the header must be {header}"),
        ("rate_date,currency\n2026-03-01,USD\n", "there is no column rate: the header must be "
                                                  "{header}"),
        (f"{RATES}\n2026-03-01,USD,0.9\n2026-03-01,USD,0.8\n",
         "USD has two rates on 2026-03-01: keep one"),
        (f"{RATES}\n2026-03-01,USD,-1\n",
         "1 rows have no date, currency or positive rate: correct them"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["csv", "delta"])
def test_a_bad_table_of_rates_keeps_out_the_source_before_it(
    one_good_batch: Workspace, tmp_path: Path, kind: str, rates: str | None, sentence: str
) -> None:
    if kind == "csv":
        (tmp_path / "in").write_bytes(text(LINE))
    else:
        schema = ", ".join(f"`{column}` string" for column in HEADER.split(","))
        table = one_good_batch.lake.spark.createDataFrame([ROW], schema)
        table.write.format("delta").save(str(tmp_path / "in"))
    path = tmp_path / "rates.csv"
    if rates is not None:
        path.write_text(rates)
    (tmp_path / "before.csv").write_bytes(text(LINE))
    others = {"before": source_document(tmp_path / "before.csv")}
    document = source_document(
        tmp_path / "in", format={"kind": kind}, currency="USD", exchange_rates=str(path)
    )
    told = refusal(one_good_batch, document, others=others)
    assert told == f"exchange rates {path}: {sentence.format(path=path, header=RATES)}"


def test_a_bad_table_of_rates_does_no_harm_where_its_source_has_nothing_new(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_bytes(text(line(what="hat")))
    (tmp_path / "rates.csv").write_text(f"{RATES}\n2026-03-01,USD,0.9\n")
    document = source_document(
        tmp_path / "in.csv", currency="USD", exchange_rates=str(tmp_path / "rates.csv")
    )
    lake = with_sources(one_good_batch, {"abroad": document})
    ingest(lake)
    before = versions(lake)
    (tmp_path / "rates.csv").unlink()
    ingest(lake)
    assert versions(lake) == before


def test_a_file_without_permission_is_refused(one_good_batch: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(text(LINE))
    path.chmod(0)
    root = Path(one_good_batch.lake.root)
    for folder in (tmp_path, root):
        open_to_everyone(folder)
    for lock in (root / "_locks", *(root / "_locks").iterdir()):
        lock.chmod(0o777)
    with as_nobody():
        told = refusal(one_good_batch, source_document(path))
    assert told == f"{path}: access is denied: grant it to the user that runs segspark"


def test_a_lake_without_permission_is_refused(one_good_batch: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(text(LINE))
    root = Path(one_good_batch.lake.root)
    open_to_everyone(root)
    for lock in (root / "_locks", *(root / "_locks").iterdir()):
        lock.chmod(0o755 if lock.is_dir() else 0o644)
    before = versions(one_good_batch)
    with as_nobody(), pytest.raises(SegsparkError) as refused:
        ingest(with_sources(one_good_batch, {"new": source_document(path)}))
    assert str(refused.value) == (
        f"{root}/_locks: cannot be written (Permission denied): check its owner and free space"
    )
    assert versions(one_good_batch) == before
