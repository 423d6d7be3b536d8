"""Snapshots of many dates and settings in one table, each with its catalogue."""

import json
from datetime import date
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark.errors import ConfigError, StageError
from segspark.features.scores import score_columns
from segspark.pipeline.features import backfill_features, build_features, snapshot_of
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.settings.features import FeatureSettings
from segspark.settings.root import Settings
from segspark.tables.features import (
    CUSTOMER_FEATURES,
    FEATURE_CATALOGUE,
    customer_features,
    feature_groups,
)
from segspark.tables.lake import Lake
from segspark.tables.operations import STAGE_RUNS
from tests.histories import day
from tests.purchases import csv_file, source_document, workspace

LINES = [
    f"{who},2011-01-{1 + at:02d} 10:00:00,A{who}{at},mug,{1 + who},2.00"
    for who in range(1, 7)
    for at in range(0, 20, who)
]
GUESTS = [f",2011-01-{at:02d} 10:00:00,G{at},mug,1,2.00" for at in (1, 2, 3, 11, 30)]


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A lake that has taken in one file, whose snapshots the tests add to."""
    folder = tmp_path_factory.mktemp("shop")
    csv_file(folder / "lines.csv", *LINES, *GUESTS)
    work = workspace(spark, folder / "lake", {"shop": source_document(folder / "lines.csv")})
    ingest(work)
    return work


def under(work: Workspace, **features: object) -> Workspace:
    """The same lake under other settings of the features, opened anew."""
    document = {**work.settings.model_dump(), "features": features}
    settings = Settings.model_validate(document)
    return Workspace(settings, Lake.open(work.lake.spark, settings.lake), work.progress)


def rows(work: Workspace, snapshot_id: str) -> list[Row]:
    contract = customer_features(work.settings.features)
    mine = work.lake.read(contract).filter(F.col("snapshot_id") == snapshot_id)
    return mine.orderBy("customer_id").collect()


def audit_of(work: Workspace, snapshot_id: str) -> dict[str, Any]:
    run = work.lake.read(STAGE_RUNS).filter(F.col("stage_id") == snapshot_id).collect()[0]
    return dict(json.loads(run["audit_json"]))


def test_dates_are_built_once_and_what_was_finished_is_skipped(shop: Workspace) -> None:
    first = build_features(shop, as_of=day(5))[-1]

    several = backfill_features(shop, as_of_dates=[day(9), day(5), day(7), day(9)])
    again = backfill_features(shop, as_of_dates=[day(5), day(7), day(9)])

    ledger, *snapshots = several
    assert (ledger.stage, [each.was_done for each in snapshots]) == ("ledger", [True, False, False])
    assert snapshots[0].stage_id == first.stage_id
    assert [each.stage_id for each in snapshots] == [
        snapshot_of(shop, as_of=day(at)) for at in (5, 7, 9)
    ]
    assert all(each.was_done for each in again)


def test_a_date_before_every_line_is_refused_before_anything_is_built(shop: Workspace) -> None:
    with pytest.raises(StageError, match="no purchase line is known up to 2010-12-31"):
        backfill_features(shop, as_of_dates=[day(9), date(2010, 12, 31)])


def test_snapshots_of_other_windows_and_custom_features_share_the_table(shop: Workspace) -> None:
    double = {"name": "double_amount", "unit": "money", "description": "Twice the spend."}
    other = under(shop, windows_days=[3], custom=[{**double, "expression": "monetary_amount * 2"}])
    plain = build_features(shop, as_of=day(9))[-1].stage_id
    own = build_features(other, as_of=day(9))[-1].stage_id

    found, usual = rows(other, own), rows(shop, plain)
    assert own != plain
    assert [row["double_amount"] for row in found] == [2 * row["monetary_amount"] for row in usual]
    assert [row["order_3_days_count"] for row in found] == [3, 1, 1, 1, 0, 0]
    assert {row["order_3_days_count"] for row in rows(other, plain)} == {None}
    stored = other.lake.read(CUSTOMER_FEATURES).filter(F.col("snapshot_id") == own).collect()
    assert {row["order_7_days_count"] for row in stored} == {None}
    catalogue = other.lake.read(FEATURE_CATALOGUE).filter(F.col("snapshot_id") == own)
    ordered = catalogue.orderBy("position_number").collect()
    assert [(row["feature_table"], row["feature_name"]) for row in ordered] == [
        (group.table, each.name)
        for group in feature_groups(other.settings.features)
        for each in group.features
    ]
    (mine,) = [row for row in ordered if row["feature_name"] == "double_amount"]
    assert (mine["feature_table"], mine["formula"], mine["unit"]) == (
        "customer_features",
        "monetary_amount * 2",
        "money",
    )


def test_a_custom_feature_that_cannot_be_is_refused_before_the_ledger(shop: Workspace) -> None:
    wrong = {"name": "x_ratio", "unit": "ratio", "description": "x.", "expression": "nothing"}

    with pytest.raises(ConfigError, match=r"features\.custom x_ratio: "):
        build_features(under(shop, custom=[wrong]), as_of=day(9))


def test_scores_of_later_days_are_cut_where_the_named_day_was(shop: Workspace) -> None:
    frozen = under(shop, score_cuts_as_of=day(5))
    reference = build_features(shop, as_of=day(5))[-1].stage_id

    on_the_day = build_features(frozen, as_of=day(5))[-1]
    later = build_features(frozen, as_of=day(12))[-1].stage_id
    own = build_features(shop, as_of=day(12))[-1].stage_id

    assert (on_the_day.stage_id, on_the_day.was_done) == (reference, True)
    assert len({reference, later, own}) == 3
    cuts = {name: tuple(cuts) for name, cuts in audit_of(shop, reference)["score_cuts"].items()}
    assert audit_of(shop, later)["score_cuts"] == audit_of(shop, reference)["score_cuts"]
    assert audit_of(shop, own)["score_cuts"] != audit_of(shop, reference)["score_cuts"]
    scores = score_columns(cuts)
    again = shop.lake.read(CUSTOMER_FEATURES).filter(F.col("snapshot_id") == later)
    for name, score in scores.items():
        assert again.filter(~score.eqNullSafe(F.col(name))).isEmpty()


@pytest.mark.parametrize(
    ("features", "as_of", "sentence"),
    [
        ({"score_cuts_as_of": day(6)}, 9, "there are no features of that day for this"),
        ({"score_cuts_as_of": day(5), "monetary": "gross"}, 9, "run build-features --as-of 2011"),
        ({"score_cuts_as_of": day(12)}, 9, "2011-01-13 is after the as-of date 2011-01-10"),
    ],
)
def test_cuts_of_a_day_without_such_features_or_after_the_date_are_refused(
    shop: Workspace, features: dict[str, object], as_of: int, sentence: str
) -> None:
    build_features(shop, as_of=day(5))

    with pytest.raises(StageError, match=sentence):
        build_features(under(shop, **features), as_of=day(as_of))


@pytest.mark.parametrize("as_of", [9, 29])
def test_the_share_of_guests_is_that_of_the_lines_up_to_the_date(
    shop: Workspace, as_of: int
) -> None:
    done = build_features(shop, as_of=day(as_of))[-1]

    known = [line for line in (*LINES, *GUESTS) if line.split(",")[1] < str(day(as_of + 1))]
    share = sum(line.startswith(",") for line in known) / len(known)
    assert audit_of(shop, done.stage_id)["guest_line_ratio"] == pytest.approx(share)
    assert f"{share:.1%} of the lines up to the date are of guests" in done.summary


def test_the_contract_holds_the_windows_of_the_settings() -> None:
    names = {c.name for c in customer_features(FeatureSettings(windows_days=(3, 400))).columns}

    assert {"order_3_days_count", "spend_400_days_trend_ratio"} <= names
    assert "order_7_days_count" not in names
