"""Stage: transactions → return_matches, customer_days."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.ledger import counted_money, customer_days
from segspark.features.lines import LINE_COLUMNS, LedgerLines, ledger_lines
from segspark.features.returns import return_matches
from segspark.pipeline.ledgers import Ledger, LedgerPart, keep_up, ledger_rows
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.features import LedgerSettings
from segspark.settings.root import Settings
from segspark.tables.engine_errors import engine_sentences, overflow_of
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome
from segspark.tables.purchases import CUSTOMER_DAYS, TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.telling import told

PURCHASES = Ledger(
    "ledger",
    "transactions",
    TRANSACTIONS,
    LINE_COLUMNS,
    reads=tuple(LedgerSettings.model_fields),
    version=7,
)
_MONEY = ("gross_amount", "returned_amount", "unmatched_returned_amount")


def ledger_id(settings: Settings) -> str:
    """The ledger of purchases of a segmentation under its settings."""
    return PURCHASES.id_of(settings)


def read_ledger(lake: Lake, ledger: str) -> DataFrame:
    """Rows of `customer_days` of one ledger."""
    return ledger_rows(lake, CUSTOMER_DAYS, ledger)


def build_ledger(workspace: Workspace, batches: Sequence[Row]) -> StageResult:
    """Make the ledger hold the lines of these batches and of no other.

    Args:
        workspace: The surroundings.
        batches: Rows of `ingest_batches`: those that count.

    Raises:
        StageError: Its money is not that of the lines.
    """
    settings, lake = workspace.settings.ledger, workspace.lake

    def write(part: LedgerPart) -> Outcome:
        with (
            overflow_of("the amounts of the source"),
            engine_sentences("keeping the ledger", error=StageError),
            _kept(part, part.rows) as rows,
            _held(ledger_lines(rows, settings=settings)) as lines,
        ):
            match_count = _write(lake, part, lines)
            return _outcome(lake, part, lines, batches, match_count=match_count)

    return keep_up(workspace, PURCHASES, batches, write)


@contextmanager
def _kept(part: LedgerPart, rows: DataFrame) -> Iterator[DataFrame]:
    """Rows of the part, which are read more than once: kept where they had to be looked for."""
    if part.customers is None:
        yield rows
        return
    held = rows.persist()
    try:
        yield held
    finally:
        held.unpersist()


@contextmanager
def _held(lines: LedgerLines) -> Iterator[LedgerLines]:
    """Keep what several queries need: both tables, and the count of their money."""
    days = lines.order_days.persist()
    try:
        with told(lines.returned) as returned:
            yield replace(lines, order_days=days, returned=returned.keys)
    finally:
        days.unpersist()


def _write(lake: Lake, part: LedgerPart, lines: LedgerLines) -> int:
    """Both tables, the returns first: the days are worked out from them as they were written.

    Returns how many rows of returns there are.
    """
    part.bring(lake, RETURN_MATCHES, return_matches(lines, ledger_id=part.ledger_id))
    with _kept(part, part.written(lake, RETURN_MATCHES)) as matches:
        days = customer_days(lines, ledger_id=part.ledger_id, matches=matches)
        part.bring(lake, CUSTOMER_DAYS, days)
        return matches.count()


def _outcome(
    lake: Lake, part: LedgerPart, lines: LedgerLines, batches: Sequence[Row], *, match_count: int
) -> Outcome:
    """Count what was written, once its money is that of the lines."""
    counted = (
        part.written(lake, CUSTOMER_DAYS)
        .agg(
            F.count("*").alias("rows"),
            F.count_distinct("customer_id").alias("customers"),
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _MONEY),
        )
        .collect()[0]
    )
    read = counted_money(lines).collect()[0]
    part.check(CUSTOMER_DAYS, held=counted.asDict(), read=read.asDict())
    what = "" if part.customers is None else "worked out anew: "
    return Outcome(
        summary=f"{what}{counted['rows']:,} days of {counted['customers']:,} customers",
        rows_in={TRANSACTIONS.name: sum(row["kept_row_count"] for row in batches)},
        rows_out={RETURN_MATCHES.name: match_count, CUSTOMER_DAYS.name: counted["rows"]},
        audit={
            "customers_worked_out": part.customer_count or counted["customers"],
            **{name: str(counted[name]) for name in _MONEY},
        },
    )
