"""The stage `features` writes the groups that are asked for, of the batches that count."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.pipeline.features import build_features, snapshot_of
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import StageResult, Workspace
from segspark.tables.behaviour import (
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_CATEGORIES,
    CUSTOMER_PREFERENCES,
    CUSTOMER_SEASONS,
)
from segspark.tables.contract import TableContract
from segspark.tables.engagement import CUSTOMER_ENGAGEMENT, CUSTOMER_EVENT_TYPES
from segspark.tables.features import FEATURE_CATALOGUE
from segspark.tables.manifest import find_stage
from tests.histories import day
from tests.purchases import csv_file, source_document, values, workspace

LINES = (
    "7,2011-01-02 10:00:00,A1,mug,2,1.50",
    "7,2011-01-03 20:00:00,A2,pan,1,9.00",
    "8,2011-01-05 10:00:00,B1,pan,1,9.00",
    "8,2011-01-30 10:00:00,B2,mug,1,1.50",
)


@pytest.fixture
def work(spark: SparkSession, tmp_path: Path, lake_folder: Path) -> Workspace:
    lines = csv_file(tmp_path / "lines.csv", *LINES)
    products = {
        "entity": "products",
        "location": str(tmp_path / "products.csv"),
        "format": {"kind": "csv"},
        "changed_file": "replace",
        "columns": {"product_id": "what", "category_levels": ["group"]},
    }
    people = {
        "entity": "customers",
        "location": str(csv_file(tmp_path / "people.csv", "7,2011-01-08,18-24", "7,2011-01-12,25+",
                                 header="who,since,age")),
        "format": {"kind": "csv"},
        "columns": {"customer_id": "who", "valid_from": "since", "attributes": ["age"]},
    }  # fmt: skip
    # Its row without a day holds from the start, though its first day is after the as-of date.
    newcomers = {
        **people,
        "location": str(csv_file(tmp_path / "newcomers.csv", "8,,under 18", "8,2011-02-01,18-24",
                                 header="who,since,age")),
    }  # fmt: skip
    visits = {
        "entity": "events",
        "event_type": "visit",
        "location": str(
            csv_file(
                tmp_path / "visits.csv",
                "7,2011-01-10 10:00:00",
                "7,2011-01-05 10:00:00",
                "7,2011-01-12 10:00:00",
                "stranger,2011-01-04 10:00:00",
                header="who,at",
            )
        ),
        "format": {"kind": "csv"},
        "columns": {"customer_id": "who", "event_at": "at"},
    }
    sources = {
        "shop": source_document(lines),
        "products": products,
        "people": people,
        "newcomers": newcomers,
        "visits": visits,
    }
    features = {
        "categories": {"level": 1},
        "attributes": {"max_categories": 3},
        "engagement": {"half_life_days": 5},
    }
    return workspace(spark, lake_folder, sources, features=features)


def build(work: Workspace, *products: str) -> StageResult:
    csv_file(Path(work.settings.sources["products"].location), *products, header="what,group")
    ingest(work)
    return build_features(work, as_of=day(9))[-1]


def of(work: Workspace, contract: TableContract, built: StageResult, *names: str) -> object:
    rows = work.lake.read(contract).filter(F.col("snapshot_id") == built.stage_id)
    return values(rows, *names)


def test_groups_are_written_with_the_snapshot_and_anew_where_products_change(
    work: Workspace,
) -> None:
    first = build(work, "mug,drinking", "pan,cooking")
    assert snapshot_of(work, as_of=day(9)) == first.stage_id
    assert of(work, CUSTOMER_SEASONS, first, "customer_id", "order_count", "daypart_shares") == [
        ("7", 2, {"morning": 0.5, "evening": 0.5}),
        ("8", 1, {"morning": 1.0}),
    ]
    categories = ("customer_id", "category", "order_count", "is_favourite")
    assert of(work, CUSTOMER_CATEGORIES, first, *categories) == [
        ("7", "cooking", 1, True),
        ("7", "drinking", 1, False),
        ("8", "cooking", 1, True),
    ]
    assert of(work, CUSTOMER_PREFERENCES, first, "customer_id", "favourite_category") == [
        ("7", "cooking"),
        ("8", "cooking"),
    ]
    assert of(work, CUSTOMER_ATTRIBUTES, first, "customer_id", "country", "attributes") == [
        ("7", "missing", {"age": "18-24"}),
        ("8", "missing", {"age": "under 18"}),
    ]
    types = ("customer_id", "event_type", "event_count", "window_event_counts", "engagement_score")
    assert of(work, CUSTOMER_EVENT_TYPES, first, *types) == [
        ("7", "visit", 2, {7: 2, 30: 2, 90: 2}, 1.5)
    ]
    assert of(work, CUSTOMER_ENGAGEMENT, first, "customer_id", "engagement_parts") == [
        ("7", {"visit": 1.5}),
        ("8", {}),
    ]
    run = find_stage(work.lake, "features", first.stage_id)
    assert run is not None
    assert set(run["input_versions"]) == {"customer_days", "customer_event_days"}
    assert (
        run["rows_out"].items()
        >= {
            "customer_features": 2,
            "customer_seasons": 2,
            "customer_categories": 3,
            "customer_preferences": 2,
            "customer_attributes": 2,
            "customer_event_types": 1,
            "customer_engagement": 2,
        }.items()
    )

    listed = work.lake.read(FEATURE_CATALOGUE).select("feature_table").distinct().collect()
    assert {row["feature_table"] for row in listed} == set(run["rows_out"])

    second = build(work, "mug,gifts", "pan,gifts")
    assert second.stage_id != first.stage_id
    assert of(work, CUSTOMER_CATEGORIES, second, *categories) == [
        ("7", "gifts", 2, True),
        ("8", "gifts", 1, True),
    ]
    assert build(work, "mug,gifts", "pan,gifts").was_done


def test_events_that_are_asked_for_and_left_out_are_refused_in_one_sentence(
    work: Workspace,
) -> None:
    ledger = work.settings.ledger.model_copy(update={"sources": ("shop",)})
    narrow = replace(work, settings=work.settings.model_copy(update={"ledger": ledger}))
    sentence = "names no source of them: add visits to it, or leave engagement out$"
    with pytest.raises(StageError, match=sentence):
        build_features(narrow, as_of=day(9))
