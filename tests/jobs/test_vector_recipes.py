"""Vectors of other recipes, from training to publication."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from segspark.clustering import sweep
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import CandidateResult
from segspark.clustering.selection import Selection, select
from segspark.errors import ConfigError, StageError
from segspark.model.embedding import EmbeddedModel
from segspark.model.segment_model import SegmentModel
from segspark.pipeline.assign import assign
from segspark.pipeline.lifetime import value_customers
from segspark.pipeline.publish import publish
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.train import train
from segspark.settings.training import SelectionSettings
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.publishing import current_publication
from segspark.tables.segments import CUSTOMER_SEGMENTS, SEGMENT_CANDIDATES, SEGMENT_MODELS
from tests.jobs.conftest import Published, Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of, versions

VALUED = trained(embeddings=["none", "pca", "autoencoder"], pca={"component_count": 2}) | {
    "vector": {"recipe": "rfm_clv"}
}


def select_embedded(
    rows: Sequence[CandidateResult], settings: SelectionSettings, *, past: OutOfTime | None = None
) -> Selection:
    """Choose as ever, but among embeddings: they find the same segments as the plain vector."""
    worse = [row if row.candidate.is_embedded else replace(row, gain=-1.0) for row in rows]
    return select(worse, settings, past=past)


def test_a_model_of_lifetime_values_and_components_is_trained_assigned_and_published(
    copy: Reopened, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "select", select_embedded)
    here, lifetime_id = copy(training=VALUED), published.id_of("lifetime")

    training = train(here, as_of=AS_OF)
    run = assign(here, as_of=AS_OF, model="newest")
    publish(here, as_of=AS_OF)

    (row,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    model = SegmentModel.from_json(row["model_json"])
    stages = {each["stage_id"]: each for each in rows_of(here.lake, STAGE_RUNS)}
    candidates = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training.stage_id)
    assert {each["candidate_id"]: each["embedding"] for each in candidates} == {
        "kmeans-3": "none",
        "kmeans-4": "none",
        "pca-kmeans-3": "pca",
        "pca-kmeans-4": "pca",
        "autoencoder-kmeans-3": "autoencoder",
        "autoencoder-kmeans-4": "autoencoder",
    }
    assert all(each["silhouette_gain"] is not None for each in candidates)
    assert isinstance(model.clusters, EmbeddedModel)
    told = json.loads(stages[training.stage_id]["audit_json"])
    (chosen,) = [each["embedding"] for each in candidates if each["is_chosen"]]
    assert told["embeddings"][chosen] == {
        "component_count": 2,
        "explained_ratio": model.clusters.embedding.explained_ratio,
    }
    assert "By gain the best on the plain vector is" in told["verdict"]
    assert "lifetime_value_amount" in told["vector"]["columns"]
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
        alone = model.score_customer(features[who] | values[who])
        assert alone.cluster_index == segment["cluster_index"]
        assert alone.centre_distance == pytest.approx(segment["centre_distance"], abs=1e-9)
        assert alone.confidence_ratio == pytest.approx(segment["confidence_ratio"], abs=1e-9)


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
