"""What a past day says of candidates, and the choice by it."""

from dataclasses import replace
from datetime import date
from typing import Literal

import numpy as np
import pytest

from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import Evidence
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import CandidateResult, results
from segspark.clustering.selection import Selection, select
from segspark.clustering.stability import Stability
from segspark.clustering.structureless import StructurelessSilhouette
from segspark.clustering.sweep import with_past, with_stability
from segspark.errors import ClusteringError
from segspark.lifetime.usefulness import Usefulness
from segspark.model.clusters import Centres
from segspark.model.outliers import OutlierRule
from segspark.pipeline.candidate_figures import candidate_figures
from segspark.settings.training import Algorithm, SelectionSettings, SweepSettings, TrainingSettings

KMEANS_3 = Candidate(Algorithm.KMEANS, 3)
KMEANS_4 = Candidate(Algorithm.KMEANS, 4)
POINTS = np.array([[0.0], [0.1], [5.0], [5.1], [9.0], [9.1]])
THREE = Centres(np.array([[0.0], [5.0], [9.0]]))
FOUR = Centres(np.array([[0.0], [5.0], [9.0], [30.0]]))
BEFORE = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)


def past(**spend_ratios: float | None) -> OutOfTime:
    """The ratios of those named, and nothing of the others."""
    told = {KMEANS_3: "kmeans_3", KMEANS_4: "kmeans_4"}
    known = {each: name for each, name in told.items() if name in spend_ratios}
    return OutOfTime(
        date(2017, 10, 2),
        90,
        6,
        POINTS,
        {
            each: Usefulness(each.segment_count, spend_ratios[name], 0.5, 0.1)
            for each, name in known.items()
        },
        dict.fromkeys(known, BEFORE),
        {"named RFM": Usefulness(10, 0.25, None, 0.1)},
    )


def rows_of(told: OutOfTime) -> list[CandidateResult]:
    """Two candidates, the first with the higher gain."""
    models = {KMEANS_3: THREE, KMEANS_4: FOUR}
    evidence = {
        each: Evidence(silhouette, 1.0, 1.0, 1.0, (100,) * each.segment_count)
        for each, silhouette in ((KMEANS_3, 0.60), (KMEANS_4, 0.55))
    }
    rows = results(
        [FittedCandidate(each, clusters=model) for each, model in models.items()],
        evidence=evidence,
        sampled={},
        structureless={each: StructurelessSilhouette(0.3, 0.0) for each in models},
    )
    return [with_past(row, told, asked=row.candidate) for row in rows]


def choose(
    told: OutOfTime, criterion: Literal["gain", "usefulness"], *, stability: float | None = None
) -> Selection:
    rows = rows_of(told)
    if stability is not None:
        found = Stability((stability,), 0.5, 10)
        rows = [replace(row, stability=found) for row in rows]
    return select(rows, SelectionSettings(criterion=criterion, holdout_days=90), past=told)


def test_usefulness_decides_where_it_is_the_criterion() -> None:
    told = past(kmeans_3=0.2, kmeans_4=0.3)

    assert choose(told, "gain").chosen.candidate == KMEANS_3
    found = choose(told, "usefulness")

    assert found.chosen.candidate == KMEANS_4
    assert [row.reason for row in found.rows] == [
        "usefulness 0.200, the chosen one has 0.300",
        "chosen: usefulness 0.300, the highest",
    ]
    assert "Next came kmeans-3 with a usefulness of 0.200." in found.verdict
    assert found.verdict.endswith(
        "Chosen by that: of the variance of the ranks of spend in the 90 days after 2017-10-02, "
        "groups made on that day tell (6 customers): kmeans-4 0.300 (4 groups, Gini 0.500, "
        "retention 0.100); named RFM 0.250 (10 groups, retention 0.100). Those of the same kind "
        "agree with today's by a mean Jaccard of 0.40."
    )


def test_what_is_taken_for_its_stability_is_not_said_to_be_chosen_by_usefulness() -> None:
    found = choose(past(kmeans_3=0.2, kmeans_4=0.3), "usefulness", stability=0.3)

    assert found.verdict.startswith("No stable segments")
    assert "Chosen by that" not in found.verdict
    assert "Of the variance of the ranks of spend" in found.verdict


def test_what_told_nothing_on_the_past_day_is_not_chosen_for_its_usefulness() -> None:
    told = past(kmeans_4=0.01)

    assert choose(told, "usefulness").chosen.candidate == KMEANS_4
    found = choose(told, "gain")
    assert found.chosen.candidate == KMEANS_3
    assert "the ranks of spend" not in found.verdict
    with pytest.raises(ClusteringError, match=r"not be fitted on the past day.*choose by the gain"):
        choose(past(), "usefulness")
    with pytest.raises(ClusteringError, match="later spend is the same for all"):
        choose(past(kmeans_3=None, kmeans_4=None), "usefulness")


def test_the_clusters_of_today_are_looked_for_among_those_of_the_past_day() -> None:
    three, four = rows_of(past(kmeans_3=0.2, kmeans_4=0.3))

    assert three.time_stability is not None
    assert three.time_stability.jaccards == pytest.approx((2 / 3, 1 / 4, 2 / 3))
    assert four.time_stability is not None
    assert four.time_stability.jaccards == pytest.approx((2 / 3, 1 / 4, 2 / 3, 0))
    figures = candidate_figures(three)
    assert figures["usefulness_spend_ratio"] == 0.2
    assert figures["lowest_time_stability_jaccard"] == pytest.approx(0.25)


def test_outliers_of_either_day_are_not_compared() -> None:
    told, middle = past(kmeans_3=0.2), np.array([4.0])
    apart = OutlierRule("apart", middle, 4.5)

    found = told.fitted_by(apart)

    assert found.points.tolist() == [[0.0], [0.1], [5.0], [5.1]]
    assert found.labels[KMEANS_3].tolist() == [0, 0, 0, 1]
    assert found.customer_count == 6
    clipped = told.fitted_by(OutlierRule("clip", middle, 4.5))
    assert clipped.points.ravel().tolist() == pytest.approx([0.0, 0.1, 5.0, 5.1, 8.5, 8.5])
    assert clipped.labels[KMEANS_3].tolist() == BEFORE.tolist()


def test_a_candidate_that_finds_its_number_is_known_by_what_was_asked() -> None:
    asked, found = Candidate(Algorithm.DBSCAN), Candidate(Algorithm.DBSCAN, 3, eps=0.4)
    useful = Usefulness(2, 0.4, 0.5, 0.1)
    told = OutOfTime(date(2017, 10, 2), 90, 6, POINTS, {asked: useful}, {asked: BEFORE}, {})
    row = CandidateResult(FittedCandidate(found, clusters=THREE), None, None, None, None)

    after = with_past(row, told, asked=asked)

    assert after.usefulness == useful
    assert after.time_stability is not None


def test_stability_is_found_out_for_the_most_useful_first() -> None:
    told = past(kmeans_3=0.2, kmeans_4=0.3)
    many = np.random.default_rng(3).normal(size=(4000, 1))
    settings = TrainingSettings(
        sweep=SweepSettings(algorithms=(Algorithm.KMEANS,), kmeans_restarts=1),
        selection=SelectionSettings(
            criterion="usefulness", holdout_days=90, stability_resamples=1000, least_stability=0
        ),
    )
    rows = [replace(row, gain=None) if row.candidate == KMEANS_3 else row for row in rows_of(told)]

    found = with_stability(rows, many[:300], settings)

    assert [row.stability is not None for row in found] == [False, True]
