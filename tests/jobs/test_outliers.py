"""Outliers apart, from training to the rows of their segment."""

import pytest

from segspark.model.segment_model import SegmentModel
from segspark.pipeline.assign import assign
from segspark.pipeline.train import train
from segspark.tables.segments import CUSTOMER_SEGMENTS, SEGMENT_MODELS, SEGMENT_PROFILES
from tests.jobs.conftest import Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of

BOUND = 0.6


@pytest.mark.parametrize("engine", ["batched", "sparkml"])
def test_whoever_stands_apart_is_a_segment_with_a_profile_of_its_own(
    copy: Reopened, engine: str
) -> None:
    section = trained()
    here = copy(
        training=section
        | {
            "sweep": section["sweep"] | {"engine": engine},
            "outliers": {"policy": "apart", "isolation_bound": BOUND},
        }
    )

    training = train(here, as_of=AS_OF)
    run = assign(here, as_of=AS_OF, model="newest")

    (row,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training.stage_id)
    model = SegmentModel.from_json(row["model_json"])
    segments = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=run.stage_id)
    apart = [each for each in segments if each["cluster_index"] == model.clusters.k - 1]
    assert f"Outliers: {len(apart)} isolated and 0 farther" in row["verdict"]
    assert 0 < len(apart) < 15
    assert all(each["is_outlier"] and each["is_isolated"] for each in apart)
    for each in segments:
        assert (each["isolation_score"] > BOUND) == each["is_isolated"] == (each in apart)
        assert each["is_far_from_centre"] == (each["centre_distance"] > model.outlier_distance)
    profiles = rows_of(here.lake, SEGMENT_PROFILES, run_id=run.stage_id)
    own = next(each for each in profiles if each["segment_id"] == apart[0]["segment_id"])
    assert own["customer_count"] == len(apart)
    assert own["outlier_ratio"] == 1.0
