"""Part of the stage `features`: the feature groups beside the core table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.features.attributes import (
    customer_attributes,
    told_by_lines,
    told_of_customers,
)
from segspark.features.categories import category_orders, customer_categories, product_categories
from segspark.features.events import customer_engagement, customer_event_types
from segspark.features.preferences import basket_products, customer_preferences
from segspark.features.seasons import customer_seasons
from segspark.pipeline.event_ledger import EVENTS, read_event_days
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ledger import ledger_id
from segspark.pipeline.stage import Workspace
from segspark.settings.behaviour import AttributeSettings, CategorySettings, EngagementSettings
from segspark.settings.sources import CustomerSource
from segspark.tables.behaviour import (
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_CATEGORIES,
    CUSTOMER_PREFERENCES,
    CUSTOMER_SEASONS,
)
from segspark.tables.contract import TableContract
from segspark.tables.engagement import CUSTOMER_ENGAGEMENT, CUSTOMER_EVENT_TYPES
from segspark.tables.entities import CUSTOMERS, PRODUCTS
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES

BEHAVIOUR_VERSION = 3
"""Raised when the same inputs and settings would give other rows."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What is written, and the last day that counts for it."""

    snapshot_id: str
    as_of: date


def describing_batches(workspace: Workspace) -> list[Row]:
    """The batches that count of what the groups read beside purchases, in the order they came.

    Of two that speak of the same thing the later one counts, so their order is part of what is
    read.
    """
    settings = workspace.settings.features
    asked = {
        "products": settings.categories,
        "customers": settings.attributes,
        EVENTS.entity: settings.engagement,
    }
    wanted = {entity for entity, group in asked.items() if group is not None}
    if not wanted:
        return []
    current = current_batches(workspace)
    events = EVENTS.batches_of(workspace.settings, current)
    others = [row for row in current if row["entity"] != EVENTS.entity]
    found = [row for row in (*others, *events) if row["entity"] in wanted]
    return sorted(found, key=lambda row: int(row["batch_number"]))


def describing_batches_known(lake: Lake, describing: Sequence[Row], *, as_of: date) -> list[Row]:
    """Those of the batches of `describing_batches` that say something on the date, in their order.

    Rows without a day hold from the start, also where the other rows of their batch are of later
    days.
    """
    known = {
        row["batch_id"] for row in describing if not row["first_date"] or row["first_date"] <= as_of
    }
    # Only of customers a row may be without a day where another of its batch has one.
    later = [
        row["batch_id"]
        for row in describing
        if row["entity"] == CUSTOMERS.name and row["batch_id"] not in known
    ]
    if later:
        is_undated = F.col("batch_id").isin(later) & F.col("valid_from_date").isNull()
        undated = lake.read(CUSTOMERS).filter(is_undated).select("batch_id").distinct().collect()
        known |= {row["batch_id"] for row in undated}
    return [row for row in describing if row["batch_id"] in known]


def write_seasons(lake: Lake, summaries: DataFrame, *, snapshot_id: str) -> dict[str, int]:
    """Write the seasons of a snapshot; returns their number of rows by table.

    Args:
        lake: Holds the table.
        summaries: From `customer_summaries`, with seasons.
        snapshot_id: The snapshot.
    """
    seasons = customer_seasons(summaries, snapshot_id=snapshot_id)
    return {CUSTOMER_SEASONS.name: _write(lake, CUSTOMER_SEASONS, seasons, snapshot_id)}


def write_behaviour(
    workspace: Workspace, batches: Sequence[Row], *, as_of: date, snapshot_id: str
) -> dict[str, int]:
    """Write the other groups of a snapshot; returns their numbers of rows by table.

    Args:
        workspace: The surroundings; the ledger is up to date.
        batches: Rows of `ingest_batches` that the snapshot is made of.
        as_of: Last day counted.
        snapshot_id: The snapshot.
    """
    lake, settings = workspace.lake, workspace.settings
    run = _Snapshot(snapshot_id, as_of)
    counts: dict[str, int] = {}
    if settings.features.categories is not None:
        counts |= _write_categories(workspace, batches, settings.features.categories, run)
    if settings.features.attributes is not None:
        attributes = _attributes(workspace, batches, settings.features.attributes, run)
        counts[CUSTOMER_ATTRIBUTES.name] = _write(
            lake, CUSTOMER_ATTRIBUTES, attributes, snapshot_id
        )
    if settings.features.engagement is not None:
        counts |= _write_engagement(workspace, settings.features.engagement, run)
    return counts


def _write_categories(
    workspace: Workspace, batches: Sequence[Row], wanted: CategorySettings, run: _Snapshot
) -> dict[str, int]:
    lake, snapshot_id = workspace.lake, run.snapshot_id
    orders = _category_orders(workspace, batches, wanted, run.as_of)
    categories = customer_categories(orders, settings=wanted, snapshot_id=snapshot_id)
    count = _write(lake, CUSTOMER_CATEGORIES, categories, snapshot_id)
    lines = _rows(lake, TRANSACTIONS, batches)
    preferences = customer_preferences(
        _of(lake, CUSTOMER_CATEGORIES, snapshot_id),
        basket_products(lines, settings=workspace.settings.ledger, as_of=run.as_of),
        settings=wanted,
        snapshot_id=snapshot_id,
    )
    return {
        CUSTOMER_CATEGORIES.name: count,
        CUSTOMER_PREFERENCES.name: _write(lake, CUSTOMER_PREFERENCES, preferences, snapshot_id),
    }


def _write_engagement(
    workspace: Workspace, wanted: EngagementSettings, run: _Snapshot
) -> dict[str, int]:
    lake, settings, snapshot_id = workspace.lake, workspace.settings, run.snapshot_id
    customers = _of(lake, CUSTOMER_FEATURES, snapshot_id).select("customer_id")
    types = customer_event_types(
        read_event_days(lake, settings),
        settings=wanted,
        windows_days=settings.features.windows_days,
        as_of=run.as_of,
        snapshot_id=snapshot_id,
    ).join(customers, on="customer_id", how="left_semi")
    count = _write(lake, CUSTOMER_EVENT_TYPES, types, snapshot_id)
    written = _of(lake, CUSTOMER_EVENT_TYPES, snapshot_id)
    engagement = customer_engagement(written, customers, snapshot_id=snapshot_id)
    return {
        CUSTOMER_EVENT_TYPES.name: count,
        CUSTOMER_ENGAGEMENT.name: _write(lake, CUSTOMER_ENGAGEMENT, engagement, snapshot_id),
    }


def _category_orders(
    workspace: Workspace, batches: Sequence[Row], wanted: CategorySettings, as_of: date
) -> DataFrame:
    lake, settings = workspace.lake, workspace.settings
    matches = lake.read(RETURN_MATCHES).filter(F.col("ledger_id") == ledger_id(settings))
    has_products = any(source.entity == "products" for source in settings.sources.values())
    categories = None
    if has_products:
        products = _numbered(lake, PRODUCTS, batches)
        categories = product_categories(products, settings=wanted)
    return category_orders(
        _rows(lake, TRANSACTIONS, batches),
        matches if settings.features.monetary == "net" else None,
        categories,
        settings=settings.ledger,
        as_of=as_of,
    )


def _attributes(
    workspace: Workspace, batches: Sequence[Row], wanted: AttributeSettings, run: _Snapshot
) -> DataFrame:
    lake, settings = workspace.lake, workspace.settings
    names = {
        name
        for source in settings.sources.values()
        if isinstance(source, CustomerSource)
        for name in source.columns.attributes
    }
    told = told_of_customers(_numbered(lake, CUSTOMERS, batches), as_of=run.as_of)
    lines = _rows(lake, TRANSACTIONS, batches)
    return customer_attributes(
        _of(lake, CUSTOMER_FEATURES, run.snapshot_id).select("customer_id"),
        [told, told_by_lines(lines, settings=settings.ledger, as_of=run.as_of)],
        demographics=sorted(names),
        max_categories=wanted.max_categories,
        snapshot_id=run.snapshot_id,
    )


def _numbered(lake: Lake, contract: TableContract, batches: Sequence[Row]) -> DataFrame:
    """The rows that came with these batches, with the order in which these were taken in."""
    numbers = lake.read(INGEST_BATCHES).select("batch_id", "batch_number")
    return _rows(lake, contract, batches).join(numbers, on="batch_id", how="inner")


def _rows(lake: Lake, contract: TableContract, batches: Sequence[Row]) -> DataFrame:
    """The rows of a table that came with these batches."""
    ids = [row["batch_id"] for row in batches]
    return lake.read(contract).filter(F.col("batch_id").isin(ids))


def _of(lake: Lake, contract: TableContract, snapshot_id: str) -> DataFrame:
    return lake.read(contract).filter(F.col("snapshot_id") == snapshot_id)


def _write(lake: Lake, contract: TableContract, df: DataFrame, snapshot_id: str) -> int:
    """Write a snapshot's rows; returns how many there are."""
    lake.replace(contract, df, {"snapshot_id": snapshot_id})
    return _of(lake, contract, snapshot_id).count()
