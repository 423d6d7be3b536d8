"""Every configuration on the page docs/ingest.md works as printed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark.ingest.parsing.rows import ENTITIES, entity_name
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.session.drivers import POSTGRESQL, SQLITE, Driver
from segspark.session.gateway import running_gateway
from segspark.settings.loading import load_settings
from segspark.settings.root import Settings
from segspark.tables.purchases import TRANSACTIONS
from tests.jobs.conftest import workspace_of
from tests.jobs.ingest_page import EXAMPLES
from tests.jobs.ingest_page_growing import (
    append_kiosk,
    append_sales,
    make_shop,
    sell,
    write_history,
)
from tests.postgres import USER, PostgresServer
from tests.purchases import values
from tests.spark.conftest import postgres

__all__ = ["postgres"]

PAGE = Path(__file__).parents[2] / "docs" / "ingest.md"
DATABASE = "erp"
SERVED = (DATABASE, "bucket", "bucket_history")
"""Sources that need a server; those in a bucket have a file of tests of their own."""


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

    def alone(self, source: str) -> Workspace:
        """The workspace with no other source, to take in what this one holds by now."""
        work = self.work[source]
        only = {source: work.settings.sources[source]}
        return replace(work, settings=work.settings.model_copy(update={"sources": only}))


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, for Python and for Java."""
    made = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEGSPARK_LAKE", raising=False)
        patch.setenv("KIOSK_FOLDER", str(made))
        before = str(Path.cwd())
        patch.chdir(made)
        place(spark, str(made))
        yield made
        place(spark, before)


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, folder: Path) -> Ingested:
    """Every source of the page that needs no server, taken in from the files that it names."""
    for example in EXAMPLES.values():
        example.write(spark)
    found: dict[str, Workspace] = {}
    with pytest.MonkeyPatch.context() as patch:
        for number, settings in enumerate(merged(configurations(folder))):
            if not settings.sources.keys().isdisjoint(SERVED):
                continue
            patch.setenv("SEGSPARK_LAKE", f"lake {number}")
            work = workspace_of(spark, settings)
            ingest(work)
            found |= dict.fromkeys(settings.sources, work)
    return Ingested(found)


def test_every_source_of_the_page_is_tried(tmp_path: Path) -> None:
    named = [name for settings in configurations(tmp_path) for name in settings.sources]
    assert sorted(named) == sorted([*EXAMPLES, *SERVED])


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


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("shop", {"2024/january.csv", "july.csv"}),
        ("received", {"1.csv.gz", "2.csv.zst", "april.zip/3.csv", "april.zip/4.csv"}),
        ("branches", {"berlin/sales-01.csv", "rome/sales-02.csv"}),
    ],
)
def test_each_file_below_a_folder_in_an_archive_or_of_a_glob_is_a_batch(
    ingested: Ingested, source: str, names: set[str]
) -> None:
    batches = current_batches(ingested.work[source])
    assert {row["file_name"] for row in batches if row["source"] == source} == names


def test_a_row_committed_later_below_the_last_watermark_is_never_taken(
    spark: SparkSession, ingested: Ingested
) -> None:
    work = ingested.alone("warehouse")
    append_sales(spark, ("A2", "2024-03-03T06:00:00"), ("late", "2024-03-02T06:00:00"))
    ingest(work)
    mine = work.lake.read(TRANSACTIONS).filter(F.col("source") == "warehouse")
    assert values(mine, "order_id") == [("A1",), ("A2",)]
    assert sorted(row["watermark"] for row in current_batches(work)) == [
        "2024-03-02 06:00:00", "2024-03-03 06:00:00",
    ]  # fmt: skip


def test_a_folder_in_several_parts_is_one_batch_and_written_anew_it_takes_the_old_ones_place(
    spark: SparkSession, ingested: Ingested
) -> None:
    work = ingested.alone("history")
    (first,) = current_batches(work)
    assert first["in_row_count"] == 2

    write_history(spark, (7, "A1", 2.55), (8, "A3", 4.0), (9, "A4", 8.0))
    ingest(work)

    (second,) = current_batches(work)
    assert first["batch_id"] in second["replaced_batch_numbers"]
    counting = work.lake.read(TRANSACTIONS).filter(F.col("batch_id") == second["batch_id"])
    assert values(counting, "customer_id", "order_id", "line_amount") == [
        ("7", "A1", Decimal("2.55")), ("8", "A3", Decimal(4)), ("9", "A4", Decimal(8)),
    ]  # fmt: skip


def test_an_sqlite_database_that_grows_adds_its_new_rows_once(ingested: Ingested) -> None:
    work = ingested.alone("kiosk")
    append_kiosk("A2", "A3")  # numbers 99 and 100, of which texts would take 99 for the highest
    assert not ingest(work).was_done
    assert ingest(work).was_done
    mine = work.lake.read(TRANSACTIONS).filter(F.col("source") == "kiosk")
    assert values(mine, "order_id") == [("A1",), ("A2",), ("A3",)]
    assert sorted(row["watermark"] for row in current_batches(work)) == ["100", "98"]


@pytest.mark.parametrize(("source", "driver"), [(DATABASE, POSTGRESQL), ("kiosk", SQLITE)])
def test_the_package_of_the_page_is_the_driver_that_is_tested(
    tmp_path: Path, source: str, driver: Driver
) -> None:
    (settings,) = [s for s in configurations(tmp_path) if source in s.sources]
    assert settings.spark.packages == (driver.coordinate,)


def test_the_database_of_the_page_is_read_by_four_connections_and_each_row_is_taken_once(
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

    assert lines_of(work) == sold(8)
    (batch,) = current_batches(work)
    assert (batch["in_row_count"], batch["watermark"]) == (8, "8")

    sell(postgres, first=9, last=12)
    ingest(work)

    assert lines_of(work) == sold(12)
    batches = [(row["in_row_count"], row["watermark"]) for row in current_batches(work)]
    assert sorted(batches) == [(4, "12"), (8, "8")]

    assert ingest(work).was_done
    assert lines_of(work) == sold(12)


def lines_of(work: Workspace) -> list[tuple[Any, ...]]:
    """What the lake holds of the database."""
    names = ("customer_id", "order_id", "transaction_at", "line_amount")
    return values(work.lake.read(TRANSACTIONS), *names)


def sold(last: int) -> list[tuple[Any, ...]]:
    """What it must hold of the lines up to this one."""
    start = datetime.fromisoformat("2024-03-01 11:00")
    numbers = range(1, last + 1)
    return sorted(
        (("7", f"A{n}", start + timedelta(minutes=n), Decimal(n) / 4) for n in numbers), key=repr
    )
