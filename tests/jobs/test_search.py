"""A training whose vector and candidates are searched for, from features to publication."""

import json
import sys
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.clustering.blocks import point_blocks
from segspark.errors import SetupError, StageError
from segspark.model.segment_model import SegmentModel
from segspark.pipeline.assign import assign
from segspark.pipeline.lifetime import value_customers
from segspark.pipeline.publish import publish
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.train import train
from segspark.pipeline.training_plan import sampled_points
from segspark.pipeline.training_record import open_tracker
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MODELS
from tests.clustering_data import points_frame
from tests.jobs.conftest import Published, Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of, versions

SEARCH = {"recipes": ["rfm_log", "rfm_clv"], "trials": 14, "kept_candidates": 3}


def searching(**search: Any) -> dict[str, Any]:  # noqa: ANN401 - of the section
    section = trained(algorithms=["kmeans", "gaussian_mixture"], most_segments=5)
    more = {"covariances": ["full", "spherical"], "embeddings": ["none", "pca"]}
    return section | {
        "outliers": {"policy": "clip"},
        "sweep": section["sweep"] | more,
        "search": SEARCH | search,
    }


def test_the_best_recipe_and_candidates_of_a_search_are_trained_assigned_and_published(
    copy: Reopened, published: Published
) -> None:
    here, lifetime_id = copy(training=searching()), published.id_of("lifetime")

    training = train(here, as_of=AS_OF)
    run = assign(here, as_of=AS_OF, model="newest")
    publish(here, as_of=AS_OF)

    rows = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training.stage_id)
    (model,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    vector = SegmentModel.from_json(model["model_json"]).vector
    (chosen,) = (row for row in rows if row["is_chosen"])
    assert len(rows) == 14
    kept = [row for row in rows if row["silhouette"] is not None]
    assert len(kept) == 3
    assert {row["recipe"] for row in kept} == {chosen["recipe"]}
    assert ("lifetime_value_amount" in vector.names) == (chosen["recipe"] == "rfm_clv")
    assert chosen["search_gain"] == max(row["search_gain"] for row in kept)
    mixtures = {row["covariance"] for row in rows if row["algorithm"] == "gaussian_mixture"}
    assert mixtures == {"full", "spherical"}
    assert {row["covariance"] for row in rows if row["algorithm"] == "kmeans"} == {None}
    assert {row["embedding"] for row in rows} == {"none", "pca"}
    assert sum(row["is_plain_maximum"] for row in rows) == 1
    assert "Tried beforehand were 14 candidates of rfm_clv and rfm_log" in model["verdict"]

    stages = {each["stage_id"]: each for each in rows_of(here.lake, STAGE_RUNS)}
    assert stages[training.stage_id]["input_ids"][1:] == [lifetime_id]
    audit = json.loads(stages[training.stage_id]["audit_json"])
    assert audit["vector"]["recipe"] == chosen["recipe"]
    assert run.stage_id in stages
    runs = open_tracker(here).runs
    parent = runs.finished(training.stage_id)
    assert parent is not None
    assert parent.data.params["vector.recipe"] == chosen["recipe"]
    children = runs.client.search_runs(
        [runs.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    recorded = {each.data.tags["segspark.candidate_id"]: each.data for each in children}
    assert set(recorded) == {row["candidate_id"] for row in rows}
    for row in rows:
        data = recorded[row["candidate_id"]]
        assert data.params["recipe"] == row["recipe"]
        assert data.params.get("covariance") == row["covariance"]
        assert data.metrics.get("search_gain") == pytest.approx(row["search_gain"])
    assert train(here, as_of=AS_OF).was_done


def test_a_recipe_without_its_lifetime_values_is_refused(copy: Reopened) -> None:
    here = copy(training=searching(), lifetime={"horizon_days": 30})

    with pytest.raises(StageError, match=r"takes lifetime values.* run value first"):
        train(here, as_of=AS_OF)

    lifetime_id = value_customers(here, as_of=AS_OF).stage_id
    values = here.lake.read(CUSTOMER_LIFETIME_VALUES).filter(F.col("lifetime_id") == lifetime_id)
    nobody = values.withColumn("lifetime_value_amount", F.lit(None).cast("double"))
    here.lake.replace(CUSTOMER_LIFETIME_VALUES, nobody, {"lifetime_id": lifetime_id})

    with pytest.raises(StageError, match=r"valued.* take rfm_clv out of training.search.recipes"):
        train(here, as_of=AS_OF)


def test_without_optuna_the_first_stage_does_not_begin(
    copy: Reopened, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copy(training=searching())
    before = versions(here.lake)
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(SetupError, match=r"pip install 'segspark\[search\]'"):
        run_pipeline(here, as_of=AS_OF)

    assert versions(here.lake) == before


def test_the_sample_of_a_search_is_that_of_the_sweep(spark: SparkSession) -> None:
    values = np.random.default_rng(1).normal(size=(500, 2))
    frame = points_frame(spark, values)

    with point_blocks(frame) as blocks:
        expected = blocks.sample(120)
    for partitions in (1, 7):
        found = sampled_points(frame.repartition(partitions), rows=120)
        np.testing.assert_array_equal(found, expected)
    assert len(sampled_points(frame, rows=1000)) == 500
