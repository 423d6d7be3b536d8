"""Stage: customer_events → customer_event_days."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.features.events import EVENT_COLUMNS, counted_events, customer_event_days
from segspark.pipeline.ledgers import Ledger, LedgerPart, keep_up, ledger_rows
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.root import Settings
from segspark.tables.engagement import CUSTOMER_EVENT_DAYS
from segspark.tables.entities import CUSTOMER_EVENTS
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome

EVENTS = Ledger(
    "event_ledger",
    "events",
    CUSTOMER_EVENTS,
    EVENT_COLUMNS,
    reads=("sources", "exact_duplicates"),
    version=2,
    alone_by="event_date",
)


def read_event_days(lake: Lake, settings: Settings) -> DataFrame:
    """Rows of `customer_event_days` of a segmentation."""
    return ledger_rows(lake, CUSTOMER_EVENT_DAYS, EVENTS.id_of(settings))


def build_event_ledger(workspace: Workspace, batches: Sequence[Row]) -> StageResult:
    """Make the ledger of events hold the events of these batches and of no other.

    Args:
        workspace: The surroundings.
        batches: Rows of `ingest_batches`: those of events that count.

    Raises:
        StageError: It has other numbers of events.
    """
    lake, settings = workspace.lake, workspace.settings.ledger

    def write(part: LedgerPart) -> Outcome:
        days = customer_event_days(part.rows, settings=settings, ledger_id=part.ledger_id)
        part.bring(lake, CUSTOMER_EVENT_DAYS, days)
        read = counted_events(part.rows, settings=settings).collect()[0]
        return _outcome(lake, part, batches, read)

    return keep_up(workspace, EVENTS, batches, write)


def _outcome(lake: Lake, part: LedgerPart, batches: Sequence[Row], read: Row) -> Outcome:
    """Count what was written, once it is as many events as were read."""
    counted = part.counted(lake, CUSTOMER_EVENT_DAYS, event_count=F.sum("event_count"))
    part.check(CUSTOMER_EVENT_DAYS, held=counted, read=read.asDict())
    return Outcome(
        summary=part.summary(f"{counted['event_count']:,} events"),
        rows_in={CUSTOMER_EVENTS.name: sum(row["kept_row_count"] for row in batches)},
        rows_out={CUSTOMER_EVENT_DAYS.name: counted["rows"]},
        audit=part.audit,
    )
