"""Every configuration on the page docs/ingest.md works as printed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark.ingest.parsing.rows import ENTITIES, entity_name
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.session.drivers import POSTGRESQL
from segspark.session.gateway import running_gateway
from segspark.settings.loading import load_settings
from segspark.settings.root import Settings
from segspark.tables.purchases import TRANSACTIONS
from tests.jobs.conftest import workspace_of
from tests.jobs.ingest_page import EXAMPLES, append_sales
from tests.postgres import USER, PostgresServer
from tests.purchases import values
from tests.spark.conftest import postgres

__all__ = ["postgres"]

PAGE = Path(__file__).parents[2] / "docs" / "ingest.md"
DATABASE = "erp"
"""The source that needs a server."""


def blocks(page: str) -> list[str]:
    """The configurations of a page."""
    return re.findall(r"^```yaml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)


def configurations(folder: Path) -> list[Settings]:
    """The page's configurations, each read from a file of its own in the folder."""
    found = []
    for number, block in enumerate(blocks(PAGE.read_text(encoding="utf-8"))):
        path = folder / f"block {number}.yml"
        path.write_text(block, encoding="utf-8")
        found.append(load_settings(path))
    return found


def merged(settings: list[Settings]) -> list[Settings]:
    """Configurations that differ in nothing but their sources as one: an ingest for many."""
    together: list[Settings] = []
    for one in settings:
        bare = one.model_copy(update={"sources": {}})
        same = [t for t in together if t.model_copy(update={"sources": {}}) == bare]
        if same:
            together.remove(same[0])
            one = one.model_copy(update={"sources": {**same[0].sources, **one.sources}})  # noqa: PLW2901 - grows
        together.append(one)
    return together


def place(spark: SparkSession, folder: str) -> None:
    """Where Java takes relative paths from: in a process of its own that is Python's folder."""
    gateway = running_gateway()
    assert gateway is not None
    hadoop = gateway.jvm.org.apache.hadoop
    made = hadoop.conf.Configuration(spark.sparkContext._jsc.hadoopConfiguration())  # noqa: SLF001 - no public way
    hadoop.fs.FileSystem.getLocal(made).setWorkingDirectory(hadoop.fs.Path(folder))


@dataclass(frozen=True, slots=True)
class Ingested:
    """What the page's configurations came to.

    Attributes:
        work: Source → the workspace that has taken it in.
    """

    work: dict[str, Workspace]

    def batch(self, source: str) -> Row:
        """The books of all that was taken in of a source."""
        work = self.work[source]
        found = [row for row in current_batches(work) if row["source"] == source]
        return max(found, key=lambda row: row["batch_number"])


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, for Python and for Java."""
    made = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEGSPARK_LAKE", raising=False)
        before = str(Path.cwd())
        patch.chdir(made)
        place(spark, str(made))
        yield made
        place(spark, before)


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, folder: Path) -> Ingested:
    """Every source of the page but the database, taken in from the files that it names."""
    for example in EXAMPLES.values():
        example.write(spark)
    found: dict[str, Workspace] = {}
    with pytest.MonkeyPatch.context() as patch:
        for number, settings in enumerate(merged(configurations(folder))):
            if DATABASE in settings.sources:
                continue
            patch.setenv("SEGSPARK_LAKE", f"lake {number}")
            work = workspace_of(spark, settings)
            ingest(work)
            found |= dict.fromkeys(settings.sources, work)
    return Ingested(found)


def test_every_source_of_the_page_is_tried(tmp_path: Path) -> None:
    named = [name for settings in configurations(tmp_path) for name in settings.sources]
    assert sorted(named) == sorted([*EXAMPLES, DATABASE])


@pytest.mark.parametrize("source", EXAMPLES)
def test_a_configuration_of_the_page_gives_the_rows_of_its_files(
    ingested: Ingested, source: str
) -> None:
    work, example = ingested.work[source], EXAMPLES[source]
    assert ENTITIES[entity_name(work.settings.sources[source])].kept == example.table
    mine = work.lake.read(example.table).filter(F.col("source") == source)
    assert values(mine, *example.columns) == sorted(example.rows, key=repr)
    assert ingested.batch(source)["rejected_row_count"] == example.rejected


def test_each_rule_of_the_page_counts_the_rows_that_break_it(ingested: Ingested) -> None:
    assert ingested.batch("store")["rule_row_counts"] == {
        "known_country": 1,
        "sane_quantity": 1,
        "needs_receipt": 1,
        "test_account": 1,
        "one_line_per_article": 2,
        "reseller": 1,
        "bot": 501,
    }


def test_each_file_below_a_folder_is_a_batch(ingested: Ingested) -> None:
    batches = current_batches(ingested.work["shop"])
    names = {row["file_name"] for row in batches if row["source"] == "shop"}
    assert names == {"2024/january.csv", "july.csv"}


def test_a_row_committed_later_below_the_last_watermark_is_never_taken(
    spark: SparkSession, ingested: Ingested
) -> None:
    work = ingested.work["warehouse"]
    only = {"warehouse": work.settings.sources["warehouse"]}
    work = replace(work, settings=work.settings.model_copy(update={"sources": only}))
    append_sales(spark, ("A2", "2024-03-03T06:00:00"), ("late", "2024-03-02T06:00:00"))
    ingest(work)
    mine = work.lake.read(TRANSACTIONS).filter(F.col("source") == "warehouse")
    assert values(mine, "order_id") == [("A1",), ("A2",)]
    assert sorted(row["watermark"] for row in current_batches(work)) == [
        "2024-03-02 06:00:00", "2024-03-03 06:00:00",
    ]  # fmt: skip


def test_the_package_of_the_page_is_the_driver_that_is_tested(tmp_path: Path) -> None:
    (settings,) = [s for s in configurations(tmp_path) if DATABASE in s.sources]
    assert settings.spark.packages == (POSTGRESQL.coordinate,)


def test_the_database_of_the_page_is_read_by_four_connections(
    spark: SparkSession, folder: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop(postgres)
    monkeypatch.setenv("SHOP_HOST", f"127.0.0.1:{postgres.port}")
    monkeypatch.setenv("SHOP_USER", USER)
    monkeypatch.setenv("SHOP_PASSWORD", postgres.password)
    monkeypatch.setenv("SEGSPARK_LAKE", "lake of the database")
    (settings,) = [s for s in configurations(folder) if DATABASE in s.sources]
    work = workspace_of(spark, settings)

    ingest(work)

    first = datetime.fromisoformat("2024-03-01 11:00")
    found = values(
        work.lake.read(TRANSACTIONS),
        "customer_id", "order_id", "transaction_at", "line_amount",
    )  # fmt: skip
    assert found == sorted(
        ("7", f"A{n}", first + timedelta(minutes=n), Decimal(n) / 4) for n in range(1, 9)
    )
    (batch,) = current_batches(work)
    assert (batch["in_row_count"], batch["watermark"]) == (8, "8")


def make_shop(server: PostgresServer) -> None:
    """A database with eight lines, one a minute, whose stamps are instants."""
    server.run("DROP DATABASE IF EXISTS shop")
    server.run("CREATE DATABASE shop")
    making = """
        CREATE SCHEMA sales;
        CREATE TABLE sales.lines (line_number bigint, who int, receipt text, sold_at timestamptz,
                                  amount numeric(9,2));
        INSERT INTO sales.lines
        SELECT n, 7, 'A' || n, timestamptz '2024-03-01 12:00+01' + n * interval '1 minute', n / 4.0
        FROM generate_series(1, 8) AS n;
    """
    login = ["-h", str(server.folder), "-p", str(server.port), "-U", USER, "-d", "shop"]
    server.program("psql", *login, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", making)
