"""A batch unlike those before it is refused or reported, as the settings of its source say."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark import cli
from segspark.errors import IngestError
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.tables.ingested import INGEST_QUALITY
from tests.hostile import versions
from tests.purchases import csv_file, source_document, workspace

SOUND_DAYS = 8
LINES_A_DAY = 40
"""With as many, a column that was always filled and is empty now can be no accident."""

EMPTY = "day 9.csv"
RINGS = "product_id is filled in 0% of rows; usual is "


@dataclass(frozen=True, slots=True)
class Blocked:
    """A lake of sound days that refused one day whose products are missing.

    Attributes:
        work: Its surroundings.
        config: The same as the file of a user.
        sentence: Why the day was refused.
        before: Table → its versions before the refusal.
        after: The same afterwards.
    """

    work: Workspace
    config: Path
    sentence: str
    before: dict[str, int]
    after: dict[str, int]


def deliver_day(folder: Path, name: str, day: int, *, has_products: bool = True) -> None:
    """A file with the lines of one day, each of another customer."""
    lines = [
        f"{customer},2011-03-{day:02} 10:00:00,{day}-{customer},"
        f"{f'mug {customer % 3}' if has_products else ''},2,1.50"
        for customer in range(LINES_A_DAY)
    ]
    csv_file(folder / name, *lines)


@pytest.fixture(scope="module")
def blocked(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Blocked:
    """Not to be written to, but by `let_through`."""
    folder = tmp_path_factory.mktemp("alarms")
    sources = {"days": source_document(folder / "in", quality={"blocking": ["completeness"]})}
    document = {"lake": {"location": str(folder / "lake")}, "sources": sources}
    config = folder / "days.yml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    work = workspace(spark, folder / "lake", sources)
    for day in range(1, SOUND_DAYS + 1):
        deliver_day(folder / "in", f"day {day}.csv", day)
    ingest(work)
    deliver_day(folder / "in", EMPTY, SOUND_DAYS + 1, has_products=False)
    before = versions(work)
    with pytest.raises(IngestError) as refused:
        ingest(work)
    return Blocked(work, config, str(refused.value), before, versions(work))


@pytest.fixture(scope="module")
def let_through(blocked: Blocked) -> Blocked:
    """The same, once its user did what the refusal says."""
    allowing = ["--set", "sources.days.quality.blocking=[]"]
    assert cli.main(["ingest", "--config", str(blocked.config), *allowing]) == 0
    return blocked


def test_a_column_that_is_empty_all_at_once_is_refused_where_its_alarm_blocks(
    blocked: Blocked,
) -> None:
    assert re.fullmatch(
        rf"source days: {re.escape(EMPTY)}: {RINGS}[\d.]+% to 100%: correct the delivery, or, if "
        r"it is right, take completeness out of sources\.days\.quality\.blocking for this run",
        blocked.sentence,
    )


def test_a_batch_that_an_alarm_refuses_changes_no_table(blocked: Blocked) -> None:
    assert blocked.before["ingest_quality"] > 0
    assert blocked.after == blocked.before


def test_what_is_usual_comes_from_the_batches_of_earlier_ingests(let_through: Blocked) -> None:
    assert len(current_batches(let_through.work)) == SOUND_DAYS + 1
    figures = let_through.work.lake.read(INGEST_QUALITY)
    filled = figures.filter((F.col("metric") == "completeness") & F.col("is_alarm")).collect()
    assert [(row["column_name"], row["value"], row["history_batch_count"]) for row in filled] == [
        ("product_id", 0.0, SOUND_DAYS)
    ]


def test_the_command_quality_tells_which_batch_rings_and_why(
    let_through: Blocked, tmp_path: Path
) -> None:
    page = tmp_path / "quality.html"
    assert cli.main(["quality", "--config", str(let_through.config), "--output", str(page)]) == 0
    assert f"<li><strong>{EMPTY}</strong>: {RINGS}" in page.read_text(encoding="utf-8")
