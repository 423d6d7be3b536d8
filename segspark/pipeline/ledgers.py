"""Tables that follow from batches customer by customer, kept up at the cost of what changed.

What a customer's rows come to depends on that customer's rows alone, and what they come to up to
a day on those up to that day. So where batches came or went, the customers that they hold rows of
are worked out anew, and of their rows from the first day of these batches on, those that differ are
written. The result is that of working everything out, whatever came or went before.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.root import Settings
from segspark.tables.changes import row_changes
from segspark.tables.contract import TableContract
from segspark.tables.ids import content_id
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.purchases import LEDGER_BATCHES
from segspark.tables.telling import Told, told

_MOST_CHANGED_SHARE = 0.2
"""Where more rows than that came or went, working everything out is the quicker way."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is kept up.

    Attributes:
        stage: Name of the stage that does it.
        entity: What the sources hold that it is made of.
        source: Table of the batches' rows.
        columns: Its columns that are read, `batch_id` and `customer_id` among them.
        reads: Names of the ledger settings that its rows follow from.
        version: Raised when the same inputs and settings would give other rows.
        alone_by: Column of days of the source where its rows of a day alone make the ledger's rows
            of that day; None: those before have a say as well.
    """

    stage: str
    entity: str
    source: TableContract
    columns: tuple[str, ...]
    reads: tuple[str, ...]
    version: int
    alone_by: str | None = None

    def id_of(self, settings: Settings) -> str:
        """The ledger of a segmentation under its settings; its rows change with what comes in."""
        config = settings.ledger.model_dump(mode="json", include=set(self.reads))
        return content_id(self.stage, settings.segmentation, config, self.version)

    def batches_of(self, settings: Settings, current: Sequence[Row]) -> list[Row]:
        """Those of the batches that count which the ledger is made of."""
        wanted = settings.ledger.sources
        return [
            row
            for row in current
            if row["entity"] == self.entity and (not wanted or row["source"] in wanted)
        ]


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """The part of a ledger that is worked out.

    Attributes:
        ledger_id: The ledger.
        rows: The source's rows that count, of its customers.
        customers: Their ids, none of them NULL; None: all of them.
        first_day: Before it nothing can have changed; None: on any day.
    """

    ledger_id: str
    rows: DataFrame
    customers: Told | None = None
    first_day: date | None = None

    def written(self, lake: Lake, contract: TableContract) -> DataFrame:
        """What the table holds of its customers."""
        rows = ledger_rows(lake, contract, self.ledger_id)
        return rows if self.customers is None else self.customers.among(rows)

    def changeable(self, contract: TableContract, rows: DataFrame) -> DataFrame:
        """Those of a table's rows that may have changed."""
        if self.first_day is None or contract.apart_by is None:
            return rows
        return rows.filter(F.col(contract.apart_by) >= F.lit(self.first_day))

    def bring(
        self, lake: Lake, contract: TableContract, rows: DataFrame, *, are_arranged: bool = False
    ) -> None:
        """Make the rows the table's rows of its customers.

        Args:
            lake: Holds the table.
            contract: The table.
            rows: Conform to it.
            are_arranged: Whether they come as `contract.arrange` would leave them.
        """
        mine = {"ledger_id": self.ledger_id}
        if self.customers is None:
            lake.replace(contract, rows if are_arranged else contract.arrange(rows), mine)
            return
        held = self.changeable(contract, self.written(lake, contract))
        changes = row_changes(contract, before=held, after=self.changeable(contract, rows))
        lake.amend(contract, changes, mine)

    def counted(self, lake: Lake, contract: TableContract, **sums: Column) -> dict[str, Any]:
        """`rows`, and the sums, of a table's rows that may have changed, as written."""
        rows = self.changeable(contract, self.written(lake, contract))
        named = (F.coalesce(value, F.lit(0)).alias(name) for name, value in sums.items())
        return rows.agg(F.count("*").alias("rows"), *named).collect()[0].asDict()

    def summary(self, written: str) -> str:
        """What was written, and of whom and since when unless it is all."""
        if self.customers is None:
            return written
        since = "" if self.first_day is None else f" from {self.first_day} on"
        return f"worked out anew{since}: {written} of {self.customers.count:,} customers"

    @property
    def audit(self) -> dict[str, int]:
        """How many customers were worked out, unless it is all."""
        return {} if self.customers is None else {"customers_worked_out": self.customers.count}

    def check(
        self, contract: TableContract, *, held: Mapping[str, object], read: Mapping[str, object]
    ) -> None:
        """Refuse a table that does not add up to what it was worked out from.

        Args:
            contract: The table.
            held: From `counted`.
            read: The same sums of what they were made of.

        Raises:
            StageError: They differ.
        """
        for name, expected in read.items():
            if held[name] != expected:
                # Another process may have written its own ledger of this name meanwhile.
                raise StageError(
                    f"{self.ledger_id}: {name} of {contract.name} is {held[name]} and that of the "
                    f"rows it is made of {expected}: run it again"
                )


def ledger_rows(lake: Lake, contract: TableContract, ledger_id: str) -> DataFrame:
    """Rows of one ledger."""
    return lake.read(contract).filter(F.col("ledger_id") == ledger_id)


def keep_up(
    workspace: Workspace,
    ledger: Ledger,
    batches: Sequence[Row],
    write: Callable[[LedgerPart], Outcome],
) -> StageResult:
    """Make a ledger hold the rows of these batches and of no other.

    Args:
        workspace: The surroundings.
        ledger: What is kept up.
        batches: Rows of `ingest_batches`: those that count.
        write: Works a part out and writes it, by `LedgerPart.bring`.
    """
    lake, settings = workspace.lake, workspace.settings
    ledger_id, wanted = ledger.id_of(settings), {row["batch_id"] for row in batches}
    held = ledger_rows(lake, LEDGER_BATCHES, ledger_id).collect()
    # Batches that a killed run was about to work in or out may have left some of their rows.
    settled = {row["batch_id"] for row in held if row["is_settled"]}
    changed = (settled ^ wanted) | {row["batch_id"] for row in held if not row["is_settled"]}
    run = StageRun(
        stage=ledger.stage,
        stage_id=content_id(ledger.stage, ledger_id, sorted(wanted)),
        segmentation=settings.segmentation,
        as_of_date=None,
        input_ids=tuple(sorted(wanted)),
        reads=(ledger.source, INGEST_BATCHES),
        config=settings.model_dump(mode="json", include={"ledger": set(ledger.reads)}),
    )

    def work() -> Outcome:
        everything = wanted | {row["batch_id"] for row in held}
        _remember(lake, ledger_id, everything, unsettled=changed)
        with _part(lake, ledger, ledger_id, _Batches(wanted, changed, is_new=not held)) as part:
            outcome = write(part)
        _remember(lake, ledger_id, wanted, unsettled=())
        return outcome

    return run_stage(workspace, run, work, is_there=lambda: not changed)


@dataclass(frozen=True, slots=True)
class _Batches:
    """Ids of the batches that count, and of those that came or went; whether none were held."""

    wanted: Collection[str]
    changed: Collection[str]
    is_new: bool


@contextmanager
def _part(lake: Lake, ledger: Ledger, ledger_id: str, batches: _Batches) -> Iterator[LedgerPart]:
    """What has to be worked out where these batches changed."""
    everything = lake.read(ledger.source).select(*ledger.columns)
    wanted, changed = (
        F.col("batch_id").isin(list(ids)) for ids in (batches.wanted, batches.changed)
    )
    share, first_day = (inf, None) if batches.is_new else _moved(lake, batches)
    if share > _MOST_CHANGED_SHARE:
        yield LedgerPart(ledger_id, everything.filter(wanted))
        return
    if ledger.alone_by is not None and first_day is not None:
        everything = everything.filter(F.col(ledger.alone_by) >= F.lit(first_day))
    ids = everything.filter(changed).select("customer_id").na.drop().distinct()
    with told(ids) as customers:
        # Most rows go by the customer, and the rest need not be asked for their batch.
        own = customers.among(everything).filter(wanted)
        yield LedgerPart(ledger_id, own, customers, first_day)


def _moved(lake: Lake, batches: _Batches) -> tuple[float, date | None]:
    """How many rows came or went, as a share of all that count, and the day before the earliest.

    None instead of the day where the books do not know each of their batches and its days.
    """
    books = lake.read(INGEST_BATCHES)
    ids, moved = (F.col("batch_id").isin(list(x)) for x in (batches.wanted, batches.changed))
    rows = F.col("kept_row_count")
    found = books.agg(
        F.coalesce(F.sum(F.when(ids, rows)), F.lit(0)).alias("all"),
        F.coalesce(F.sum(F.when(moved, rows)), F.lit(0)).alias("moved"),
        # Where clocks are set back across midnight, a later instant may be of the day before.
        F.date_sub(F.min(F.when(moved, F.col("first_date"))), 1).alias("first_day"),
        F.count_if(moved & (F.col("first_date").isNotNull() | (rows == 0))).alias("batches"),
    ).collect()[0]
    is_known = found["batches"] == len(batches.changed)
    return found["moved"] / max(found["all"], 1), found["first_day"] if is_known else None


def _remember(
    lake: Lake, ledger_id: str, batches: Collection[str], *, unsettled: Collection[str]
) -> None:
    """Write down what the ledger holds, and what is being worked into it or out of it."""
    rows = [(ledger_id, batch_id, batch_id not in unsettled) for batch_id in sorted(batches)]
    df = lake.spark.createDataFrame(rows, LEDGER_BATCHES.schema)
    lake.replace(LEDGER_BATCHES, df, {"ledger_id": ledger_id})
