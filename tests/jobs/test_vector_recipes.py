"""Vectors of other recipes, from training to publication."""

import json

import pytest
from pyspark.sql import functions as F

from segspark.errors import ConfigError, StageError
from segspark.model.segment_model import SegmentModel
from segspark.pipeline.assign import assign
from segspark.pipeline.lifetime import value_customers
from segspark.pipeline.publish import publish
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.train import train
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.publishing import current_publication
from segspark.tables.segments import CUSTOMER_SEGMENTS, SEGMENT_MODELS
from tests.jobs.conftest import Published, Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of, versions

VALUED = trained() | {"vector": {"recipe": "rfm_clv", "pca": {"component_count": 2}}}


def test_a_model_of_lifetime_values_and_components_is_trained_assigned_and_published(
    copy: Reopened, published: Published
) -> None:
    here, lifetime_id = copy(training=VALUED), published.id_of("lifetime")

    training = train(here, as_of=AS_OF)
    run = assign(here, as_of=AS_OF, model="newest")
    publish(here, as_of=AS_OF)

    (row,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    model = SegmentModel.from_json(row["model_json"])
    stages = {each["stage_id"]: each for each in rows_of(here.lake, STAGE_RUNS)}
    assert "on 2 principal components with" in training.summary
    told = json.loads(stages[training.stage_id]["audit_json"])["vector"]
    assert model.vector.projection is not None
    assert told["explained_ratios"] == list(model.vector.projection.explained_ratios)
    assert "lifetime_value_amount" in told["columns"]
    assert stages[training.stage_id]["input_ids"][1:] == [lifetime_id]
    assert stages[run.stage_id]["input_ids"][2:] == [lifetime_id]
    current = current_publication(here.lake, "default")
    assert current is not None
    assert (current["run_id"], current["model_id"]) == (run.stage_id, model.model_id)
    assert train(here, as_of=AS_OF).was_done

    values = {
        each["customer_id"]: each
        for each in rows_of(here.lake, CUSTOMER_LIFETIME_VALUES, lifetime_id=lifetime_id)
    }
    features = {each["customer_id"]: each for each in rows_of(here.lake, CUSTOMER_FEATURES)}
    segments = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=run.stage_id)
    assert len(segments) == len(features) - 1
    for segment in segments:
        who = segment["customer_id"]
        point = model.vector.point(features[who] | values[who])
        scores = model.score_points([point])  # type: ignore[arg-type]
        assert scores.cluster_index.tolist() == [segment["cluster_index"]]
        assert scores.centre_distance[0] == pytest.approx(segment["centre_distance"], abs=1e-9)


def test_a_model_of_lifetime_values_needs_those_of_its_own_settings(
    copy: Reopened, published: Published
) -> None:
    here = copy(training=VALUED, lifetime={"horizon_days": 30})

    with pytest.raises(StageError, match=r"takes lifetime values.* run value first"):
        train(here, as_of=AS_OF)

    lifetime_id = value_customers(here, as_of=AS_OF).stage_id
    assert lifetime_id != published.id_of("lifetime")
    values = here.lake.read(CUSTOMER_LIFETIME_VALUES).filter(F.col("lifetime_id") == lifetime_id)
    nobody = values.withColumn("lifetime_value_amount", F.lit(None).cast("double"))
    here.lake.replace(CUSTOMER_LIFETIME_VALUES, nobody, {"lifetime_id": lifetime_id})

    with pytest.raises(StageError, match=f"no customer could be valued.*under {lifetime_id}"):
        train(here, as_of=AS_OF)


def test_a_column_that_there_is_not_is_refused_before_the_first_stage(copy: Reopened) -> None:
    here = copy(training=trained() | {"vector": {"columns": ["shoe_size"]}})
    before = versions(here.lake)

    with pytest.raises(ConfigError, match="'shoe_size' is no column of numbers"):
        run_pipeline(here, as_of=AS_OF)

    assert versions(here.lake) == before


def test_behaviour_is_what_tells_customers_apart_in_this_shop(copy: Reopened) -> None:
    here = copy(training=trained() | {"vector": {"recipe": "behaviour", "scaling": "robust"}})

    training = train(here, as_of=AS_OF)

    (row,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    names = SegmentModel.from_json(row["model_json"]).vector.names
    (stage,) = rows_of(here.lake, STAGE_RUNS, stage_id=training.stage_id)
    told = json.loads(stage["audit_json"])["vector"]
    assert {"order_90_days_count", "average_basket_units", "tenure_days"} <= set(names)
    # An order has one line each time here.
    assert "average_basket_lines" not in names
    assert any("average_basket_lines is the same" in warning for warning in told["warnings"])
