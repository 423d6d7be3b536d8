"""Stage: transactions → return_matches, customer_days, at the cost of what changed.

What a customer's lines come to depends on that customer's lines alone. So where batches came or
went, the customers that they hold lines of are worked out anew, and of their rows only those that
differ are written. The result is that of working everything out, whatever came or went before.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.ledger import counted_money, customer_days
from segspark.features.lines import LINE_COLUMNS, LedgerLines, ledger_lines
from segspark.features.returns import return_matches
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.root import Settings
from segspark.tables.changes import row_changes
from segspark.tables.contract import TableContract
from segspark.tables.ids import content_id
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.purchases import CUSTOMER_DAYS, LEDGER_BATCHES, TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.telling import told

LEDGER = "ledger"
LEDGER_VERSION = 5
"""Raised when the same inputs and settings would give other rows."""
_MONEY = ("gross_amount", "returned_amount", "unmatched_returned_amount")
_MOST_CHANGED_SHARE = 0.2
"""Where more lines than that came or went, working everything out is the quicker way."""


def ledger_id(settings: Settings) -> str:
    """The ledger of a segmentation under its settings; its rows change with what is ingested."""
    config = settings.ledger.model_dump(mode="json")
    return content_id(LEDGER, settings.segmentation, config, LEDGER_VERSION)


def read_ledger(lake: Lake, ledger: str) -> DataFrame:
    """Rows of `customer_days` of one ledger."""
    return _of(lake, CUSTOMER_DAYS, ledger)


def build_ledger(workspace: Workspace, batches: Sequence[Row]) -> StageResult:
    """Make the ledger hold the lines of these batches and of no other.

    Args:
        workspace: The surroundings.
        batches: Rows of `ingest_batches`: those that count.

    Raises:
        StageError: Its money is not that of the lines.
    """
    lake, settings = workspace.lake, workspace.settings
    ledger, wanted = ledger_id(settings), {row["batch_id"] for row in batches}
    held = _of(lake, LEDGER_BATCHES, ledger).collect()
    # Batches that a killed run was about to work in or out may have left some of their rows.
    settled = {row["batch_id"] for row in held if row["is_settled"]}
    changed = (settled ^ wanted) | {row["batch_id"] for row in held if not row["is_settled"]}
    run = StageRun(
        stage=LEDGER,
        stage_id=content_id(LEDGER, ledger, sorted(wanted)),
        segmentation=settings.segmentation,
        as_of_date=None,
        input_ids=tuple(sorted(wanted)),
        reads=(TRANSACTIONS, INGEST_BATCHES),
        config=settings.model_dump(mode="json", include={"ledger"}),
    )

    def work() -> Outcome:
        _remember(lake, ledger, wanted | {row["batch_id"] for row in held}, unsettled=changed)
        with _part(workspace, wanted, changed, is_new=not held) as part:
            _write(workspace, ledger, part)
            outcome = _outcome(workspace, ledger, part, batches)
        _remember(lake, ledger, wanted, unsettled=())
        return outcome

    return run_stage(workspace, run, work, is_there=lambda: not changed)


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a ledger that is worked out.

    Attributes:
        lines: The lines that count, of its customers, with what is made of them held.
        customers: One row per `customer_id`; None: all of them.
        customer_count: How many; None as above.
    """

    lines: LedgerLines
    customers: DataFrame | None = None
    customer_count: int | None = None

    def of(self, rows: DataFrame) -> DataFrame:
        """The rows that are about its customers."""
        if self.customers is None:
            return rows
        return rows.join(self.customers, on="customer_id", how="left_semi")


@contextmanager
def _part(
    workspace: Workspace, wanted: Collection[str], changed: Collection[str], *, is_new: bool
) -> Iterator[_Part]:
    """What has to be worked out where these batches changed."""
    transactions, settings = workspace.lake.read(TRANSACTIONS), workspace.settings.ledger
    lines = transactions.filter(F.col("batch_id").isin(list(wanted)))
    if is_new or _is_much(workspace, wanted, changed):
        with _held(ledger_lines(lines, settings=settings)) as all_lines:
            yield _Part(all_lines)
        return
    moved = transactions.filter(F.col("batch_id").isin(list(changed)))
    with told(moved.select("customer_id").na.drop().distinct()) as customers:
        own = lines.select(*LINE_COLUMNS).join(customers.keys, on="customer_id", how="left_semi")
        own = own.persist()
        try:
            with _held(ledger_lines(own, settings=settings)) as own_lines:
                yield _Part(own_lines, customers.keys, customers.count)
        finally:
            own.unpersist()


@contextmanager
def _held(lines: LedgerLines) -> Iterator[LedgerLines]:
    """Keep what several queries need: both tables, and the count of their money."""
    days = lines.order_days.persist()
    try:
        with told(lines.returned) as returned:
            yield replace(lines, order_days=days, returned=returned.keys)
    finally:
        days.unpersist()


def _is_much(workspace: Workspace, wanted: Collection[str], changed: Collection[str]) -> bool:
    """Whether so many lines changed that all of them had better be worked out."""
    books = workspace.lake.read(INGEST_BATCHES)
    ids, moved = F.col("batch_id").isin(list(wanted)), F.col("batch_id").isin(list(changed))
    rows = F.col("kept_row_count")
    found = books.agg(
        F.coalesce(F.sum(F.when(ids, rows)), F.lit(0)).alias("all"),
        F.coalesce(F.sum(F.when(moved, rows)), F.lit(0)).alias("moved"),
    ).collect()[0]
    return bool(found["moved"] > _MOST_CHANGED_SHARE * found["all"])


def _write(workspace: Workspace, ledger: str, part: _Part) -> None:
    """Both tables, the returns first: the days are worked out from them as they were written."""
    lake = workspace.lake
    found = return_matches(part.lines, ledger_id=ledger)
    _bring(lake, RETURN_MATCHES, ledger, part, found)
    matches = part.of(_of(lake, RETURN_MATCHES, ledger))
    days = customer_days(part.lines, ledger_id=ledger, matches=matches)
    _bring(lake, CUSTOMER_DAYS, ledger, part, days)


def _bring(lake: Lake, contract: TableContract, ledger: str, part: _Part, rows: DataFrame) -> None:
    """Make the rows the ledger's rows of the part's customers."""
    if part.customers is None:
        lake.fill(contract, rows, {"ledger_id": ledger})
        return
    changes = row_changes(contract, before=part.of(_of(lake, contract, ledger)), after=rows)
    lake.amend(contract, changes, {"ledger_id": ledger})


def _outcome(workspace: Workspace, ledger: str, part: _Part, batches: Sequence[Row]) -> Outcome:
    """Count what was written, once its money is that of the lines."""
    lake = workspace.lake
    counted = (
        part.of(read_ledger(lake, ledger))
        .agg(
            F.count("*").alias("rows"),
            F.count_distinct("customer_id").alias("customers"),
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _MONEY),
        )
        .collect()[0]
    )
    money = counted_money(part.lines).collect()[0]
    _check_money(ledger, counted, money)
    what = "" if part.customers is None else "worked out anew: "
    return Outcome(
        summary=f"{what}{counted['rows']:,} days of {counted['customers']:,} customers",
        rows_in={TRANSACTIONS.name: sum(row["kept_row_count"] for row in batches)},
        rows_out={
            contract.name: _of(lake, contract, ledger).count()
            for contract in (RETURN_MATCHES, CUSTOMER_DAYS)
        },
        audit={
            "customers_worked_out": part.customer_count or counted["customers"],
            **{name: str(counted[name]) for name in _MONEY},
        },
    )


def _check_money(ledger: str, counted: Row, lines: Row) -> None:
    """Refuse a ledger whose money is not that of its lines, however returns were matched."""
    for name in ("gross_amount", "returned_amount"):
        if counted[name] != lines[name]:
            # Another process may have written its own ledger of this name meanwhile.
            raise StageError(
                f"{ledger}: {name} of customer_days is {counted[name]} and that of the lines "
                f"{lines[name]}: run it again"
            )


def _remember(
    lake: Lake, ledger: str, batches: Collection[str], *, unsettled: Collection[str]
) -> None:
    """Write down what the ledger holds, and what is being worked into it or out of it."""
    rows = [(ledger, batch_id, batch_id not in unsettled) for batch_id in sorted(batches)]
    df = lake.spark.createDataFrame(rows, LEDGER_BATCHES.schema)
    lake.replace(LEDGER_BATCHES, df, {"ledger_id": ledger})


def _of(lake: Lake, contract: TableContract, ledger: str) -> DataFrame:
    return lake.read(contract).filter(F.col("ledger_id") == ledger)
