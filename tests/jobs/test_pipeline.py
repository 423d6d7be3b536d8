import json
import re
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pytest

from segspark.pipeline.run import run_pipeline
from segspark.pipeline.showing import show_segments
from segspark.pipeline.stage import Workspace
from segspark.pipeline.training_record import open_tracker
from segspark.tables.behaviour import (
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_CATEGORIES,
    CUSTOMER_PREFERENCES,
)
from segspark.tables.engagement import CUSTOMER_ENGAGEMENT, CUSTOMER_EVENT_TYPES
from segspark.tables.features import CUSTOMER_FEATURES, customer_features, feature_groups
from segspark.tables.lifetime import (
    CHURN_SCORES,
    CUSTOMER_LIFETIME_VALUES,
    LIFETIME_MODELS,
    LIFETIME_SCORES,
)
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.purchases import CUSTOMER_DAYS, REJECTED_TRANSACTIONS, TRANSACTIONS
from segspark.tables.segments import (
    CUSTOMER_FUNNEL,
    CUSTOMER_SEGMENTS,
    SEGMENT_CANDIDATES,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
)
from segspark.tables.views import CURRENT_VIEWS, register_views
from tests.jobs.conftest import Published, Reopened
from tests.jobs.planted import AS_OF, GROUP_SIZE, KINDS, ONLY_CANCELLED, kind_of
from tests.jobs.reading import all_tables, duckdb_with_delta, rows_of, versions

NOT_ASKED_FOR = (
    CUSTOMER_CATEGORIES,
    CUSTOMER_PREFERENCES,
    CUSTOMER_ATTRIBUTES,
    CUSTOMER_EVENT_TYPES,
    CUSTOMER_ENGAGEMENT,
)


@pytest.fixture
def here(published: Published) -> Workspace:
    return published.workspace


def test_the_planted_groups_become_the_segments(published: Published, here: Workspace) -> None:
    segments = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=published.id_of("assign"))

    found = {(kind_of(row["customer_id"]), row["segment_id"]) for row in segments}
    assert len(segments) == GROUP_SIZE * len(KINDS)
    assert {kind for kind, _ in found} == set(KINDS)
    assert {segment for _, segment in found} == {"S1", "S2", "S3"}
    assert len(found) == 3


def test_assigned_and_excluded_customers_are_all_customers(
    published: Published, here: Workspace
) -> None:
    run_id = published.id_of("assign")
    funnel = {
        row["outcome"]: row["customer_count"]
        for row in rows_of(here.lake, CUSTOMER_FUNNEL, run_id=run_id)
    }

    customers = rows_of(here.lake, CUSTOMER_FEATURES, snapshot_id=published.id_of("features"))
    reasons = {row["customer_id"]: row["exclusion_reason"] for row in customers}
    assert funnel.pop("assigned") == 75
    assert funnel == {reasons[ONLY_CANCELLED]: 1}
    assert sum(reason is not None for reason in reasons.values()) == 1


def test_profiles_add_up_to_the_assigned_customers(published: Published, here: Workspace) -> None:
    profiles = rows_of(here.lake, SEGMENT_PROFILES, run_id=published.id_of("assign"))

    assert [row["customer_count"] for row in profiles] == [GROUP_SIZE] * 3
    assert sum(row["monetary_ratio"] for row in profiles) == pytest.approx(1)
    assert len({row["segment_name"] for row in profiles}) == 3


def test_custom_features_are_profiled_from_the_customers_of_each_segment(
    published: Published, here: Workspace
) -> None:
    snapshot_id, run_id = published.id_of("features"), published.id_of("assign")
    features = here.lake.read(customer_features(here.settings.features))
    paces = {
        row["customer_id"]: row["spend_per_day_amount"]
        for row in features.filter(features.snapshot_id == snapshot_id).collect()
    }
    segments = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=run_id)
    for profile in rows_of(here.lake, SEGMENT_PROFILES, run_id=run_id):
        mine = [
            paces[row["customer_id"]]
            for row in segments
            if row["segment_id"] == profile["segment_id"]
        ]
        expected = (np.mean(mine), *np.percentile(mine, (25, 50, 75)))
        assert profile["custom_features"].keys() == {"spend_per_day_amount"}
        found = profile["custom_features"]["spend_per_day_amount"]
        names = ("mean", "p25", "median", "p75")
        assert found == pytest.approx(dict(zip(names, expected, strict=True)))


def test_a_guest_is_in_the_transactions_and_in_no_table_of_customers(here: Workspace) -> None:
    transactions = rows_of(here.lake, TRANSACTIONS)

    assert [row["order_id"] for row in transactions if row["customer_id"] is None] == ["guest-1"]
    for table in (CUSTOMER_DAYS, CUSTOMER_FEATURES, CUSTOMER_SEGMENTS):
        assert all(row["customer_id"] for row in rows_of(here.lake, table))


def test_a_row_that_cannot_be_read_is_kept_with_its_reason(here: Workspace) -> None:
    (refused,) = rows_of(here.lake, REJECTED_TRANSACTIONS)

    assert json.loads(refused["raw_row"])["receipt"] == "bad-1"
    assert refused["reasons"] == ["transaction_at: not a date or time"]


def test_every_stage_tells_its_versions_configuration_and_rows(
    published: Published, here: Workspace
) -> None:
    runs = {row["stage"]: row for row in rows_of(here.lake, STAGE_RUNS)}

    assert set(runs) == {
        "ingest", "ledger", "features", "lifetime", "train", "assign", "publish"
    }  # fmt: skip
    for result in published.results:
        row = runs[result.stage]
        assert row["stage_id"] == result.stage_id
        assert set(row["engine_versions"]) == {"segspark", "python", "spark", "delta", "java"}
        assert row["engine_versions"]["spark"] == here.lake.spark.version
        assert all(version >= 0 for version in row["input_versions"].values())
        assert json.loads(row["config_json"])
        assert sum(row["rows_out"].values()) > 0
    assert set(runs["assign"]["input_versions"]) == {"customer_features", "segment_models"}
    assert runs["assign"]["input_ids"][0] == runs["features"]["stage_id"]


def test_the_chosen_candidate_is_the_model(published: Published, here: Workspace) -> None:
    candidates = rows_of(here.lake, SEGMENT_CANDIDATES)
    (model,) = rows_of(here.lake, SEGMENT_MODELS)

    (chosen,) = [row for row in candidates if row["is_chosen"]]
    assert [row["candidate_id"] for row in candidates] == ["kmeans-3", "kmeans-4"]
    assert all(row["reason"] for row in candidates)
    assert 0.5 < chosen["mean_confidence_ratio"] < 1.0
    assert chosen["euclidean_silhouette"] < chosen["silhouette"]
    assert chosen["gap"] > 0
    assert chosen["copula_gap"] > 0
    assert {row["is_elbow"] for row in candidates} == {False}
    assert all(0 < row["stability_jaccard"] <= 1 for row in candidates)
    assert chosen["lowest_stability_jaccard"] > 0.95
    assert model["training_id"] == chosen["training_id"] == published.id_of("train")
    assert model["segment_count"] == chosen["found_segment_count"] == 3


def test_every_customer_is_valued_by_the_winner_of_the_hold_outs_or_has_a_reason(
    published: Published, here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    lifetime_id = published.id_of("lifetime")
    values = rows_of(here.lake, CUSTOMER_LIFETIME_VALUES, lifetime_id=lifetime_id)
    models = rows_of(here.lake, LIFETIME_MODELS, lifetime_id=lifetime_id)
    scores = rows_of(here.lake, LIFETIME_SCORES, lifetime_id=lifetime_id)

    reasons = {row["customer_id"]: row["reason"] for row in values}
    assert len(reasons) == GROUP_SIZE * len(KINDS) + 1
    assert [who for who, reason in reasons.items() if reason] == [ONLY_CANCELLED]
    churn = {row["customer_id"]: row["churn_probability_ratio"] for row in values}
    assert churn["r00"] < churn["l00"]
    (served,) = [row for row in models if row["forecast"] == "churn" and row["is_chosen"]]
    assert {row["churn_method"] for row in values if row["reason"] is None} == {served["method"]}
    assert served["reason"] == "churn within 90 days: not tested"
    assert rows_of(here.lake, CHURN_SCORES, lifetime_id=lifetime_id) == []
    for row in values:
        if row["reason"] is None:
            lower, upper = row["lifetime_value_lower_amount"], row["lifetime_value_upper_amount"]
            assert 0 <= lower <= row["lifetime_value_amount"] <= upper
    # 59 days of history leave two hold-outs of a third of it.
    assert {row["fold_date"] for row in scores} == {date(2024, 2, 10), date(2024, 1, 22)}
    assert {row["holdout_days"] for row in scores} == {19}
    for forecast in ("purchases", "value"):
        own = [row for row in models if row["forecast"] == forecast]
        (winner,) = [row for row in own if row["is_winner"]]
        (chosen,) = [row for row in own if row["is_chosen"]]
        assert winner["mean_rank"] == min(row["mean_rank"] for row in own if row["mean_rank"])
        assert chosen["kind"] == "model" or "everybody" in chosen["method"]
        assert all(row["reason"] for row in own)
    summary = next(each.summary for each in published.results if each.stage == "lifetime")
    assert summary.startswith("75 customers worth ")
    assert "by historic spend; best forecasts: " in summary
    show_segments(here, published.results, config=Path("conf/shop.yml"))
    shown = capsys.readouterr().out
    assert f"Lifetime value: {summary}." in shown
    assert "\n  purchases: " in shown
    assert "\n  value: " in shown
    assert (
        "\n  churn is not tested: 3 times 90 days of history are needed, and there are 59" in shown
    )
    assert "\n  hold-outs are of 19 days, a third of the history, not of 180" in shown


def test_the_queries_that_a_run_ends_with_can_be_typed_and_name_the_table_of_each_feature(
    published: Published, here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    show_segments(here, published.results, config=Path("conf/shop.yml"))
    queries = re.findall(r'segspark sql --config conf/shop.yml "(.*)"', capsys.readouterr().out)
    register_views(here.lake)
    of_segments, of_features = (here.lake.spark.sql(query).collect() for query in queries)
    assert len(of_segments) == 3
    assert {row["feature_table"] for row in of_features} == {
        group.table for group in feature_groups(here.settings.features)
    }


def test_the_current_views_show_the_published_run_in_spark(
    published: Published, here: Workspace
) -> None:
    made = register_views(here.lake)

    views = [view for view in CURRENT_VIEWS if view.table not in NOT_ASKED_FOR]
    assert {view.name for view in views} <= set(made)
    assert not {view.name for view in CURRENT_VIEWS if view not in views} & set(made)
    for view in views:
        shown = here.lake.spark.table(view.name)
        ids = {row[view.key] for row in shown.collect()}
        assert len(ids) == 1
        assert {row["segmentation"] for row in shown.collect()} == {"default"}
    assert here.lake.spark.table("current_customer_segments").count() == 75
    assert here.lake.spark.table("current_customer_lifetime_values").count() == 76
    assert here.lake.spark.table("current_publications").collect()[0]["run_id"] == (
        published.id_of("assign")
    )


def test_the_current_views_show_the_published_run_in_duckdb(
    published: Published, here: Workspace
) -> None:
    assert here.lake.local_folder is not None
    statements = (here.lake.local_folder / "views" / "duckdb.sql").read_text(encoding="utf-8")

    with duckdb_with_delta() as connection:
        connection.execute(statements)
        found = connection.execute(
            "SELECT run_id, segment_id, count(*) FROM current_customer_segments GROUP BY ALL"
        ).fetchall()
        named = connection.execute("SELECT segment_id, segment_name FROM current_segment_profiles")
        names = dict(named.fetchall())
        cohorts = connection.execute(
            "SELECT sum(customer_count) FROM current_customer_cohorts WHERE age_months = 0"
        ).fetchone()

    assert cohorts == (75,)
    run_id = published.id_of("assign")
    assert sorted(found) == [(run_id, f"S{n}", GROUP_SIZE) for n in (1, 2, 3)]
    assert names == {
        row["segment_id"]: row["segment_name"]
        for row in rows_of(here.lake, SEGMENT_PROFILES, run_id=run_id)
    }


def test_a_second_run_changes_nothing(copy: Reopened) -> None:
    again = copy()
    before, rows = versions(again.lake), all_tables(again.lake)

    results = run_pipeline(again, as_of=AS_OF)

    assert all(result.was_done for result in results)
    assert versions(again.lake) == before
    assert all_tables(again.lake) == rows


def test_the_registered_model_gives_the_very_clusters_of_the_table(
    published: Published, here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = open_tracker(here)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.place.address)
    model = mlflow.pyfunc.load_model(tracker.model_address())
    features = here.lake.read(CUSTOMER_FEATURES).filter("exclusion_reason IS NULL").toPandas()

    scored = model.predict(features)

    stored = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=published.id_of("assign"))
    clusters, distances = (
        {row["customer_id"]: row[name] for row in stored}
        for name in ("cluster_index", "centre_distance")
    )
    customers = features["customer_id"]
    assert dict(zip(customers, scored["cluster_index"], strict=True)) == clusters
    # Logarithms of Java and numpy differ in the last digit.
    assert dict(zip(customers, scored["centre_distance"], strict=True)) == pytest.approx(
        distances, rel=1e-12
    )
    assert np.unique(scored["cluster_index"]).size == 3
