"""Stage: transactions → return_matches, customer_days."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.ledger import counted_money, customer_days, touched_orders
from segspark.features.lines import LINE_COLUMNS, LedgerLines, ledger_lines
from segspark.features.returns import return_matches
from segspark.pipeline.ledgers import Ledger, LedgerPart, keep_up, ledger_rows
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.features import LedgerSettings
from segspark.settings.root import Settings
from segspark.tables.engine_errors import engine_sentences, overflow_of
from segspark.tables.holding import on_disk
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome
from segspark.tables.purchases import CUSTOMER_DAYS, TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.sieve import sieve
from segspark.tables.telling import told

PURCHASES = Ledger(
    "ledger",
    "transactions",
    TRANSACTIONS,
    LINE_COLUMNS,
    reads=tuple(LedgerSettings.model_fields),
    version=8,
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
            _held(rows, settings) as lines,
        ):
            match_count = _write(lake, part, lines)
            return _outcome(lake, part, lines, batches, match_count=match_count)

    return keep_up(workspace, PURCHASES, batches, write)


def _kept(part: LedgerPart, rows: DataFrame) -> AbstractContextManager[DataFrame]:
    """Rows of the part, which are read more than once: kept where they had to be looked for."""
    return nullcontext(rows) if part.customers is None else on_disk(rows)


@contextmanager
def _held(rows: DataFrame, settings: LedgerSettings) -> Iterator[LedgerLines]:
    """As `ledger_lines`, with what several queries need worked out once."""
    with ExitStack() as held:
        yield ledger_lines(
            rows,
            settings=settings,
            hold=lambda df: held.enter_context(on_disk(df)),
            tell=lambda df: held.enter_context(told(df)).keys,
            sift=lambda df: held.enter_context(sieve(df)),
        )


def _write(lake: Lake, part: LedgerPart, lines: LedgerLines) -> int:
    """Both tables, the returns first: the days are worked out from them as they were written.

    Returns how many rows of returns there are, of those that may have changed.
    """
    part.bring(lake, RETURN_MATCHES, return_matches(lines, ledger_id=part.ledger_id))
    with (
        _kept(part, part.written(lake, RETURN_MATCHES)) as matches,
        sieve(touched_orders(matches)) as touched,
    ):
        days = customer_days(lines, ledger_id=part.ledger_id, matches=matches, touched=touched)
        part.bring(lake, CUSTOMER_DAYS, days, are_arranged=True)
        return part.changeable(RETURN_MATCHES, matches).count()


def _outcome(
    lake: Lake, part: LedgerPart, lines: LedgerLines, batches: Sequence[Row], *, match_count: int
) -> Outcome:
    """Count what was written, once its money is that of the lines."""
    counted = part.counted(lake, CUSTOMER_DAYS, **{name: F.sum(name) for name in _MONEY})
    read = counted_money(lines, first_day=part.first_day).collect()[0]
    part.check(CUSTOMER_DAYS, held=counted, read=read.asDict())
    return Outcome(
        summary=part.summary(f"{counted['rows']:,} days"),
        rows_in={TRANSACTIONS.name: sum(row["kept_row_count"] for row in batches)},
        rows_out={RETURN_MATCHES.name: match_count, CUSTOMER_DAYS.name: counted["rows"]},
        audit={**part.audit, **{name: str(counted[name]) for name in _MONEY}},
    )
