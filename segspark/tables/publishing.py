"""Publications: one row makes a run current; a rollback is one more row."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.tables.lake import Lake
from segspark.tables.operations import PUBLICATIONS


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """A run that can be made current.

    Attributes:
        run_id: The run.
        snapshot_id: Its features.
        model_id: Its model.
        as_of_date: Last day counted.
    """

    run_id: str
    snapshot_id: str
    model_id: str
    as_of_date: date

    @classmethod
    def of(cls, row: Row) -> "PublishedRun":
        """The run of a row of `publications`."""
        return cls(row["run_id"], row["snapshot_id"], row["model_id"], row["as_of_date"])


def publication_history(lake: Lake, segmentation: str) -> list[Row]:
    """All publications of a segmentation, the newest first."""
    mine = lake.read(PUBLICATIONS).filter(F.col("segmentation") == segmentation)
    return mine.orderBy(F.desc("publication_number")).collect()


def current_publication(lake: Lake, segmentation: str) -> Row | None:
    """What is current, or None before the first publication."""
    history = publication_history(lake, segmentation)
    return history[0] if history else None


def commit_publication(
    lake: Lake, segmentation: str, run: PublishedRun, *, withdrawn_run_id: str | None = None
) -> None:
    """Make `run` current: one row, one commit, numbered after the newest one.

    Args:
        lake: The tables.
        segmentation: What is published.
        run: The run that readers see from here on.
        withdrawn_run_id: The run that a rollback takes back; None for a publication.
    """

    def next_row(publications: DataFrame) -> DataFrame:
        mine = publications.filter(F.col("segmentation") == segmentation)
        newest = mine.agg(F.max("publication_number")).collect()[0][0] or 0
        row = (
            segmentation,
            newest + 1,
            datetime.now(UTC),
            "rollback" if withdrawn_run_id else "publish",
            run.run_id,
            run.snapshot_id,
            run.model_id,
            run.as_of_date,
            withdrawn_run_id,
        )
        return lake.spark.createDataFrame([row], PUBLICATIONS.schema)

    lake.append_after(PUBLICATIONS, next_row)
