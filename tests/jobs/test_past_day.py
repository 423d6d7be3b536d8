"""A training that looks back: what candidates of a past day would have told."""

from typing import Any

import pytest

from segspark.errors import ClusteringError
from segspark.pipeline.train import train
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MODELS
from tests.jobs.conftest import Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of

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


def test_without_customers_on_the_past_day_the_gain_decides_or_nothing(copy: Reopened) -> None:
    here = copy(training=looking_back(_BEFORE_ANYBODY_BOUGHT))
    by_usefulness = copy(training=looking_back(_BEFORE_ANYBODY_BOUGHT, criterion="usefulness"))

    training = train(here, as_of=AS_OF)

    rows = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training.stage_id)
    assert {row["usefulness_spend_ratio"] for row in rows} == {None}
    with pytest.raises(ClusteringError, match=r"customers of 2015-12-13 .*: give other"):
        train(by_usefulness, as_of=AS_OF)
