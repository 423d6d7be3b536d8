"""When a file or the settings change, only what the present settings and contents say counts."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError, StageError
from segspark.pipeline.features import build_features
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import StageResult, Workspace
from segspark.tables.purchases import TRANSACTIONS
from tests.purchases import HEADER, PRICED, csv_file, source_document, workspace

Shop = Callable[..., Workspace]
FIRST = "7,2011-03-01,A1,mug,2,1.50"
SECOND = "7,2011-03-01,A1,mug,2,1.75"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One lake for all tests; each has a source of its own."""
    return tmp_path_factory.mktemp("changes") / "lake"


@pytest.fixture
def shop(spark: SparkSession, lake: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    """Makes the workspace of a source that is this test's own, with settings as given."""

    def made(**changed: object) -> Workspace:
        document = source_document(tmp_path / "in", **changed)
        return workspace(spark, lake, {request.node.name[:64]: document})

    return made


def counted(work: Workspace) -> list[tuple[str, Decimal]]:
    """Customer and money of the lines that count now."""
    ids = [row["batch_id"] for row in current_batches(work)]
    lines = work.lake.read(TRANSACTIONS).filter(F.col("batch_id").isin(ids))
    return sorted((row["customer_id"], row["line_amount"]) for row in lines.collect())


def test_a_new_file_beside_the_old_one_adds_its_own_lines_only(shop: Shop, tmp_path: Path) -> None:
    csv_file(tmp_path / "in" / "a.csv", FIRST)
    ingest(shop())
    csv_file(tmp_path / "in" / "b.csv", SECOND)
    ingest(shop())
    assert counted(shop()) == [("7", Decimal(3)), ("7", Decimal("3.5"))]


def test_a_changed_file_is_refused_and_the_old_content_still_counts(
    shop: Shop, tmp_path: Path
) -> None:
    csv_file(tmp_path / "in" / "a.csv", FIRST)
    ingest(shop())
    csv_file(tmp_path / "in" / "a.csv", SECOND)
    with pytest.raises(IngestError, match=r"a\.csv was ingested before with another content"):
        ingest(shop())
    assert counted(shop()) == [("7", Decimal(3))]


def test_a_replaced_file_counts_with_its_new_content_and_going_back_works(
    shop: Shop, tmp_path: Path
) -> None:
    def delivered(line: str) -> StageResult:
        csv_file(tmp_path / "in" / "a.csv", line)
        return ingest(shop(changed_file="replace"))

    first = delivered(FIRST)
    second = delivered(SECOND)
    assert counted(shop()) == [("7", Decimal("3.5"))]

    back = delivered(FIRST)
    assert counted(shop()) == [("7", Decimal(3))]
    assert (back.stage_id, back.was_done) == (first.stage_id, False)

    again = delivered(FIRST)
    assert again.was_done

    delivered(FIRST.replace("1.50", "9.00"))
    forth = delivered(SECOND)
    assert counted(shop()) == [("7", Decimal("3.5"))]
    assert forth.stage_id == second.stage_id


def test_under_other_settings_the_old_batches_no_longer_count(shop: Shop, tmp_path: Path) -> None:
    csv_file(tmp_path / "in" / "a.csv", f"{FIRST},x", header=f"{HEADER},account")
    other = {**PRICED, "customer_id": "account"}
    ingest(shop())
    ingest(shop(columns=other))

    assert counted(shop(columns=other)) == [("x", Decimal(3))]
    assert counted(shop()) == [("7", Decimal(3))]
    assert ingest(shop()).was_done


def test_a_file_that_was_renamed_and_then_corrected_counts_once(shop: Shop, tmp_path: Path) -> None:
    work = shop(changed_file="replace")
    file = csv_file(tmp_path / "in" / "a.csv", FIRST)
    ingest(work)
    file.rename(tmp_path / "in" / "b.csv")
    assert ingest(work).was_done
    csv_file(tmp_path / "in" / "b.csv", SECOND)
    ingest(work)
    assert counted(work) == [("7", Decimal("3.5"))]


def test_good_files_before_a_bad_one_are_taken_in_and_nothing_is_built_on_them_yet(
    shop: Shop, tmp_path: Path
) -> None:
    work = shop()
    for name, line in zip("abdef", (FIRST, SECOND, FIRST, FIRST, FIRST), strict=True):
        csv_file(tmp_path / "in" / f"{name}.csv", line.replace("A1", f"A{name}"))
    bad = csv_file(tmp_path / "in" / "c.csv", "7,soon,A1,mug,2,1.50")
    with pytest.raises(IngestError, match=r"c\.csv: 1 of 1 rows are refused"):
        ingest(work)
    assert [row["file_name"] for row in of_time(work)] == ["a.csv", "b.csv"]
    with pytest.raises(StageError, match="the last ingest failed"):
        build_features(work, as_of=date(2011, 4, 1))

    csv_file(bad, FIRST)
    ingest(work)
    assert len(current_batches(work)) == 6


def of_time(work: Workspace) -> list[Row]:
    return sorted(current_batches(work), key=lambda row: row["batch_number"])
