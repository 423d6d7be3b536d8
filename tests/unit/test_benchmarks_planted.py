"""The benchmark of planted structure tells what was there and what was found."""

from typing import cast

import numpy as np
import pytest
from pyspark.sql import DataFrame
from sklearn.metrics import adjusted_rand_score

from scripts.benchmarks.planted import outcome
from scripts.benchmarks.planted_customers import SCENARIOS
from segspark.clustering import sweep
from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.settings.training import (
    Algorithm,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)
from tests.point_blocks import held_in_memory

pytestmark = pytest.mark.usefixtures("one_thread", "points_in_memory")

SWEEP = SweepSettings(algorithms=(Algorithm.KMEANS,), most_segments=6)
QUICK = TrainingSettings(
    sweep=SWEEP,
    selection=SelectionSettings(
        structureless_draws=2, structureless_customers=300, stability_resamples=2
    ),
)


@pytest.fixture
def points_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "point_blocks", held_in_memory)


def row_of(name: str) -> tuple[str, str, str, str, str]:
    customers = SCENARIOS[name]()
    return outcome(customers, cast("DataFrame", customers.points), QUICK)


def test_groups_that_are_found_agree_with_what_was_planted() -> None:
    assert row_of("separated") == ("4 groups far apart", "kmeans-4", "yes", "1.000", "")


def test_the_agreement_is_the_rand_index_that_scikit_learn_gives_the_chosen_segments() -> None:
    customers, kmeans = SCENARIOS["overlapping"](), Candidate(Algorithm.KMEANS, 4)
    labels = fit_in_memory(customers.points, [kmeans], SWEEP)[kmeans].assign(customers.points)

    _, chosen, _, agreement, _ = row_of("overlapping")

    assert chosen == kmeans.candidate_id
    assert float(agreement) == pytest.approx(
        adjusted_rand_score(customers.groups, labels), abs=0.005
    )
    assert 0.85 < float(agreement) < 1


def test_where_nothing_was_planted_the_sweep_says_so_and_nothing_is_agreed_with() -> None:
    planted, _, is_natural, agreement, said = row_of("skewed")

    assert (planted, is_natural, agreement) == ("nothing: log-normal RFM", "no", "")
    assert said.startswith("No natural clusters: this is a discretisation of a continuum")
    assert "Chosen" not in said


def test_candidates_that_cannot_be_fitted_are_told_beside_the_chosen_one() -> None:
    assert row_of("few distinct points")[1:] == (
        "kmeans-4",
        "yes",
        "1.000",
        "not fitted: 5 segments were asked of 4 distinct points; "
        "not fitted: 6 segments were asked of 4 distinct points",
    )


def test_a_refused_sweep_is_a_row_with_its_sentence() -> None:
    _, chosen, _, _, said = row_of("none")

    assert chosen == "refused"
    assert said.startswith("there are no customers to cluster")


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_the_same_each_time_and_every_customer_has_a_group(name: str) -> None:
    first, second = SCENARIOS[name](), SCENARIOS[name]()

    np.testing.assert_array_equal(first.points, second.points)
    assert first.groups is None or len(first.groups) == len(first.points)
