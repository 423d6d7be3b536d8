"""The `current_*` views: what is published, for every reader."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from segspark.errors import StorageError
from segspark.tables.behaviour import (
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_CATEGORIES,
    CUSTOMER_PREFERENCES,
    CUSTOMER_SEASONS,
)
from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.contract import TableContract
from segspark.tables.engagement import CUSTOMER_ENGAGEMENT, CUSTOMER_EVENT_TYPES
from segspark.tables.explanations import SEGMENT_DIFFERENCES, SEGMENT_DRIVERS, SEGMENT_RULES
from segspark.tables.features import CUSTOMER_FEATURES, FEATURE_CATALOGUE
from segspark.tables.lake import Lake
from segspark.tables.lifetime import (
    CHURN_RELIABILITY,
    CHURN_SCORES,
    CUSTOMER_COHORTS,
    CUSTOMER_LIFETIME_VALUES,
    LIFETIME_CALIBRATION,
    LIFETIME_MODELS,
    LIFETIME_SCORES,
)
from segspark.tables.operations import PUBLICATIONS, STAGE_RUNS
from segspark.tables.purchases import TRANSACTIONS
from segspark.tables.segments import (
    CUSTOMER_FUNNEL,
    CUSTOMER_SEGMENTS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
)

CURRENT = "current_publications"
CURRENT_TRANSACTIONS = "current_transactions"
"""Lines of the batches behind the published features. `transactions` itself also holds batches that
no longer count: replaced files, and files taken in under settings that have changed since."""

CURRENT_LIFETIME = {
    f"current_{table.name}": table
    for table in (
        CUSTOMER_LIFETIME_VALUES,
        LIFETIME_MODELS,
        LIFETIME_SCORES,
        LIFETIME_CALIBRATION,
        CHURN_SCORES,
        CHURN_RELIABILITY,
    )
}
"""Rows of the newest lifetime stage of the published features: other settings make other rows."""


@dataclass(frozen=True, slots=True)
class CurrentView:
    """Rows of one table that belong to the current publication.

    Attributes:
        name: Name of the view.
        table: Where the rows are.
        key: Column shared with `publications`.
        meaning: What one row is.
    """

    name: str
    table: TableContract
    key: str
    meaning: str

    @property
    def lead(self) -> str:
        """The segmentation, where the table itself does not have it."""
        own = {column.name for column in self.table.columns}
        return "" if "segmentation" in own else "c.segmentation, "


CURRENT_VIEWS = (
    CurrentView(
        "current_customer_segments",
        CUSTOMER_SEGMENTS,
        "run_id",
        "One customer's published segment.",
    ),
    CurrentView(
        "current_segment_profiles", SEGMENT_PROFILES, "run_id", "One published segment's profile."
    ),
    CurrentView(
        "current_segment_rules", SEGMENT_RULES, "run_id", "One rule that tells a published segment."
    ),
    CurrentView(
        "current_segment_drivers",
        SEGMENT_DRIVERS,
        "run_id",
        "How much one column of the vector tells a published segment from the rest.",
    ),
    CurrentView(
        "current_segment_differences",
        SEGMENT_DIFFERENCES,
        "run_id",
        "How much one variable beside the vector differs between the published segments.",
    ),
    CurrentView(
        "current_customer_funnel",
        CUSTOMER_FUNNEL,
        "run_id",
        "Assigned and excluded customers of the published run.",
    ),
    CurrentView(
        "current_customer_features",
        CUSTOMER_FEATURES,
        "snapshot_id",
        "One customer's features behind the published segments.",
    ),
    CurrentView(
        "current_feature_catalogue",
        FEATURE_CATALOGUE,
        "snapshot_id",
        "What one column of the published features means, in each of their tables.",
    ),
    CurrentView(
        "current_customer_seasons",
        CUSTOMER_SEASONS,
        "snapshot_id",
        "When one customer buys: by month, weekday, part of the day, holiday period.",
    ),
    CurrentView(
        "current_customer_categories",
        CUSTOMER_CATEGORIES,
        "snapshot_id",
        "What one customer bought of one category.",
    ),
    CurrentView(
        "current_customer_preferences",
        CUSTOMER_PREFERENCES,
        "snapshot_id",
        "How broad one customer buys, and what most.",
    ),
    CurrentView(
        "current_customer_attributes",
        CUSTOMER_ATTRIBUTES,
        "snapshot_id",
        "Where one customer lives and buys, and the demographics.",
    ),
    CurrentView(
        "current_customer_event_types",
        CUSTOMER_EVENT_TYPES,
        "snapshot_id",
        "Events of one type of one customer, and those of the windows.",
    ),
    CurrentView(
        "current_customer_engagement",
        CUSTOMER_ENGAGEMENT,
        "snapshot_id",
        "How much one customer does beside purchases, with what adds to it.",
    ),
    CurrentView(
        "current_customer_cohorts",
        CUSTOMER_COHORTS,
        "snapshot_id",
        "Customers who first bought in one month, so many months later.",
    ),
    CurrentView("current_segment_model", SEGMENT_MODELS, "model_id", "The published model."),
)


def view_statements(
    root: str, *, dialect: str, written: Collection[TableContract] = ALL_TABLES
) -> list[str]:
    """CREATE VIEW statements over the tables below `root`.

    Args:
        root: Root of the lake.
        dialect: `spark` (temporary views over ``delta.`path` ``) or `duckdb` (`delta_scan`).
        written: Tables that exist; views of others are left out.
    """
    create = "CREATE OR REPLACE TEMPORARY VIEW" if dialect == "spark" else "CREATE OR REPLACE VIEW"

    def source(contract: TableContract) -> str:
        path = f"{root}/{contract.name}"
        if dialect == "spark":
            return f"delta.`{path.replace('`', '``')}`"
        return "delta_scan('" + path.replace("'", "''") + "')"

    queries = {table.name: _select("*", source(table)) for table in ALL_TABLES if table in written}
    if PUBLICATIONS in written:
        queries[CURRENT] = _newest_publications(source(PUBLICATIONS))
        for view in CURRENT_VIEWS:
            if view.table in written:
                joined = f"{source(view.table)} t JOIN {CURRENT} c ON t.{view.key} = c.{view.key}"
                queries[view.name] = _select(f"{view.lead}t.*", joined)
    if {PUBLICATIONS, TRANSACTIONS, STAGE_RUNS} <= set(written):
        unfold = "explode" if dialect == "spark" else "unnest"
        queries[CURRENT_TRANSACTIONS] = _published_lines(
            source(TRANSACTIONS), source(STAGE_RUNS), unfold=unfold
        )
    if {PUBLICATIONS, STAGE_RUNS} <= set(written):
        for name, table in CURRENT_LIFETIME.items():
            if table in written:
                queries[name] = _newest_lifetime(source(table), source(STAGE_RUNS))
    return [f"{create} {name} AS {query}" for name, query in queries.items()]


def _select(columns: str, source: str) -> str:
    return f"SELECT {columns} FROM {source}"  # noqa: S608 - names of contracts, quoted paths


def _newest_publications(publications: str) -> str:
    number = "max(publication_number) AS publication_number"
    newest = _select(f"segmentation, {number}", f"{publications} GROUP BY segmentation")
    return _select(
        "p.*",
        f"{publications} p JOIN ({newest}) n ON p.segmentation = n.segmentation "
        "AND p.publication_number = n.publication_number",
    )


def _published_lines(transactions: str, stage_runs: str, *, unfold: str) -> str:
    batches = _select(
        f"c.segmentation, {unfold}(s.input_ids) AS batch_id",
        f"{stage_runs} s JOIN {CURRENT} c ON s.stage = 'features' AND s.stage_id = c.snapshot_id",
    )
    return _select(
        "b.segmentation, t.*", f"{transactions} t JOIN ({batches}) b ON t.batch_id = b.batch_id"
    )


def _newest_lifetime(table: str, stage_runs: str) -> str:
    newest = _select(
        "c.segmentation, max_by(s.stage_id, s.completed_at) AS lifetime_id",
        f"{stage_runs} s JOIN {CURRENT} c ON s.stage = 'lifetime' "
        "AND s.segmentation = c.segmentation AND array_contains(s.input_ids, c.snapshot_id) "
        "GROUP BY c.segmentation",
    )
    return _select(
        "n.segmentation, t.*", f"{table} t JOIN ({newest}) n ON t.lifetime_id = n.lifetime_id"
    )


def register_views(lake: Lake) -> list[str]:
    """Make the views in the lake's session; returns their names. Unwritten tables are left out."""
    made = []
    for statement in view_statements(lake.root, dialect="spark", written=_written(lake)):
        lake.spark.sql(statement)
        made.append(statement.split()[5])
    return made


def write_view_files(lake: Lake) -> Path | None:
    """Write `views/duckdb.sql` and `views/spark.sql` below a local lake, whole or not at all."""
    if lake.local_folder is None:
        return None
    folder, written = lake.local_folder / "views", _written(lake)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for dialect in ("duckdb", "spark"):
            statements = view_statements(lake.root, dialect=dialect, written=written)
            text = ";\n".join(statements) + ";\n"
            target = folder / f"{dialect}.sql"
            if target.exists() and target.read_text(encoding="utf-8") == text:
                continue
            fresh = folder / f".{dialect}.sql.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(target)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written ({error.strerror})") from error
    return folder


def _written(lake: Lake) -> list[TableContract]:
    """Tables that some stage has written; a lake without a refused row has no table of them."""
    return [table for table in ALL_TABLES if lake.exists(table)]
