"""A training that looks back: what candidates of a past day would have told."""

import csv
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from segspark.errors import ClusteringError
from segspark.pipeline.features import build_features
from segspark.pipeline.train import train
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MODELS
from segspark.tables.usefulness import SEGMENT_USEFULNESS
from tests.jobs.conftest import Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of
from tests.naive_usefulness import naive_ratios

PAST_DAY = AS_OF - timedelta(days=30)
_BEFORE_ANYBODY_BOUGHT = 3000


def looking_back(days: int, **selection: str) -> dict[str, Any]:
    section = trained()
    return section | {"selection": section["selection"] | {"holdout_days": days, **selection}}


def test_who_buys_on_is_told_by_the_segments_of_a_month_before(copy: Reopened) -> None:
    here = copy(training=looking_back(30, criterion="usefulness"))

    training = train(here, as_of=AS_OF)

    rows = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training.stage_id)
    three = next(row for row in rows if row["candidate_id"] == "kmeans-3")
    assert three["usefulness_retention_ratio"] > 0.9
    assert 0 < three["usefulness_spend_ratio"] <= 1
    assert 0 < three["time_stability_jaccard"] <= 1
    chosen = next(row for row in rows if row["is_chosen"])
    assert chosen["usefulness_spend_ratio"] == max(row["usefulness_spend_ratio"] for row in rows)
    (model,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    assert "the ranks of spend in the 30 days after 2024-01-30" in model["verdict"]
    assert "named RFM" in model["verdict"]
    (stage,) = rows_of(here.lake, STAGE_RUNS, stage_id=training.stage_id)
    assert "customer_days" in stage["input_versions"]


def test_named_rfm_and_deciles_stand_beside_the_segments_in_one_table(
    copy: Reopened, purchases: Path
) -> None:
    here = copy(training=looking_back(30))

    training = train(here, as_of=AS_OF)

    told = rows_of(here.lake, SEGMENT_USEFULNESS, training_id=training.stage_id)
    assert [row["division"] for row in told] == [
        "deciles of past spend",
        "kmeans-3",
        "kmeans-4",
        "named RFM",
    ]
    assert [row["is_baseline"] for row in told] == [True, False, False, True]
    assert sum(row["is_chosen"] for row in told) == 1
    snapshots = {each.stage: each.stage_id for each in build_features(here, as_of=PAST_DAY)}
    customers = [
        row
        for row in rows_of(here.lake, CUSTOMER_FEATURES, snapshot_id=snapshots["features"])
        if row["exclusion_reason"] is None
    ]
    past = [float(row["monetary_amount"]) for row in customers]
    later = later_spend(purchases)
    expected = {
        "named RFM": [row["rfm_segment"] for row in customers],
        "deciles of past spend": pd.qcut(past, 10, labels=False).tolist(),
    }
    for row in told:
        assert (row["fold_date"], row["holdout_days"]) == (PAST_DAY, 30)
        assert row["customer_count"] == len(customers)
        if row["is_baseline"]:
            groups = expected[row["division"]]
            ratios = naive_ratios(groups, past, [later[each["customer_id"]] for each in customers])
            assert row["group_count"] == len(set(groups))
            assert ratios == pytest.approx(
                [row[f"usefulness_{name}_ratio"] for name in ("spend", "gini", "retention")]
            )
    (stage,) = rows_of(here.lake, STAGE_RUNS, stage_id=training.stage_id)
    assert dict(stage["rows_out"])["segment_usefulness"] == len(told)
    folder = here.lake.local_folder
    assert folder is not None
    report = folder / "reports" / training.stage_id / "usefulness.csv"
    with report.open(newline="") as file:
        assert [line["division"] for line in csv.DictReader(file)] == [
            *("kmeans-3", "kmeans-4", "named RFM", "deciles of past spend")
        ]


def later_spend(purchases: Path) -> dict[str, float]:
    """By customer, the money of the lines after the past day and up to the as-of date."""
    found: dict[str, float] = defaultdict(float)
    with purchases.open(newline="") as file:
        for line in csv.DictReader(file):
            if str(PAST_DAY) < line["at"][:10] <= str(AS_OF):
                found[line["customer"]] += int(line["units"]) * float(line["price"])
    return found


def test_without_customers_on_the_past_day_the_gain_decides_or_nothing(copy: Reopened) -> None:
    here = copy(training=looking_back(_BEFORE_ANYBODY_BOUGHT))
    by_usefulness = copy(training=looking_back(_BEFORE_ANYBODY_BOUGHT, criterion="usefulness"))

    training = train(here, as_of=AS_OF)

    rows = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training.stage_id)
    assert {row["usefulness_spend_ratio"] for row in rows} == {None}
    assert rows_of(here.lake, SEGMENT_USEFULNESS) == []
    with pytest.raises(ClusteringError, match=r"customers of 2015-12-13 .*: give other"):
        train(by_usefulness, as_of=AS_OF)
