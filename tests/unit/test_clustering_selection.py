"""Which candidate is chosen, and why the others are not."""

import pytest

from segspark.clustering.engine import FittedCandidate
from segspark.errors import ClusteringError
from tests.selecting import (
    BISECTING_3,
    BISECTING_4,
    ENCODED_3,
    HIGHEST,
    KMEANS_3,
    KMEANS_4,
    MIXTURE_3,
    PCA_3,
    choose,
    figures,
    reason_of,
)


def test_the_highest_gain_wins_over_the_highest_silhouette() -> None:
    found = choose(
        {KMEANS_3: figures(KMEANS_3, 0.60), KMEANS_4: figures(KMEANS_4, 0.55)},
        {KMEANS_3: 0.55, KMEANS_4: 0.35},
    )

    assert found.chosen.candidate == KMEANS_4
    assert found.chosen.gain == pytest.approx(0.2)
    assert found.plain_maximum.candidate == KMEANS_3
    assert found.has_natural_clusters
    assert [row.is_chosen for row in found.rows] == [False, True]
    assert reason_of(found, KMEANS_3) == (
        "gain over structureless data 0.050, the chosen one has 0.200"
    )
    assert found.verdict == (
        "Chosen: kmeans-4, whose silhouette of 0.550 is 0.200 above that of data without "
        "clusters. Next came kmeans-3 with 0.050. The highest silhouette alone would have chosen "
        "kmeans-3 (0.600)."
    )


def test_a_gain_on_the_margin_is_enough() -> None:
    found = choose({KMEANS_3: figures(KMEANS_3, 0.5)}, {KMEANS_3: 0.25}, margin=0.25)

    assert found.has_natural_clusters
    assert "No natural clusters" not in found.verdict


def test_a_small_segment_rules_a_candidate_out_whatever_its_gain() -> None:
    found = choose(
        {KMEANS_3: figures(KMEANS_3, 0.9, smallest=4), KMEANS_4: figures(KMEANS_4, 0.5)},
        {KMEANS_3: 0.1, KMEANS_4: 0.4},
    )

    assert found.chosen.candidate == KMEANS_4
    assert found.plain_maximum.candidate == KMEANS_3
    assert reason_of(found, KMEANS_3) == "smallest segment holds 0.4 %, below the 2.0 % asked"


def test_a_segment_of_exactly_the_share_asked_is_large_enough() -> None:
    found = choose({KMEANS_3: figures(KMEANS_3, 0.9, smallest=20)}, {KMEANS_3: 0.1})

    assert found.chosen.candidate == KMEANS_3


def test_an_empty_cluster_rules_a_candidate_out() -> None:
    found = choose(
        {MIXTURE_3: figures(MIXTURE_3, 0.9, smallest=0), KMEANS_3: figures(KMEANS_3, 0.5)},
        {MIXTURE_3: 0.1, KMEANS_3: 0.4},
    )

    assert reason_of(found, MIXTURE_3) == "only 2 of the 3 segments asked hold a customer"


def test_equal_gains_go_to_fewer_segments_then_to_the_first_algorithm() -> None:
    tied = (BISECTING_4, KMEANS_4, MIXTURE_3, KMEANS_3)
    evidence = {candidate: figures(candidate, 0.5) for candidate in tied}

    found = choose(evidence, dict.fromkeys(tied, 0.25))

    assert found.chosen.candidate == KMEANS_3
    assert "Next came gaussian_mixture-3" in found.verdict
    assert found.plain_maximum.candidate == KMEANS_3
    assert found.verdict.endswith(HIGHEST)


def test_an_embedding_that_finds_the_same_segments_is_not_preferred_by_rounding() -> None:
    evidence = {
        PCA_3: figures(PCA_3, 0.5 + 1e-15),
        BISECTING_3: figures(BISECTING_3, 0.5),
        ENCODED_3: figures(ENCODED_3, 0.5 + 2e-15),
    }

    found = choose(evidence, dict.fromkeys(evidence, 0.25))

    assert found.chosen.candidate == BISECTING_3
    assert found.plain_maximum.candidate == BISECTING_3
    assert "Next came pca-kmeans-3" in found.verdict


def test_a_refused_candidate_stays_in_the_list_with_its_reason() -> None:
    refused = FittedCandidate(KMEANS_4, refusal="4 segments were asked and 3 came back")

    found = choose({KMEANS_3: figures(KMEANS_3, 0.5)}, {KMEANS_3: 0.2}, refused=(refused,))

    assert reason_of(found, KMEANS_4) == "not fitted: 4 segments were asked and 3 came back"
    assert len(found.rows) == 2


def test_a_candidate_without_comparison_is_not_chosen() -> None:
    found = choose(
        {KMEANS_3: figures(KMEANS_3, 0.5), KMEANS_4: figures(KMEANS_4, 0.9)}, {KMEANS_3: 0.4}
    )

    assert found.chosen.candidate == KMEANS_3
    assert "no structureless data" in reason_of(found, KMEANS_4)


def test_nothing_eligible_is_refused_with_the_reasons_and_a_remedy() -> None:
    evidence = {KMEANS_3: figures(KMEANS_3, 0.9, smallest=4)}

    with pytest.raises(ClusteringError) as caught:
        choose(evidence, {KMEANS_3: 0.1})

    assert "kmeans-3: smallest segment holds 0.4 %" in str(caught.value)
    assert "ask for fewer segments" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_candidates_at_all_are_refused() -> None:
    with pytest.raises(ClusteringError, match="no candidate was tried"):
        choose({}, {})


def test_a_mean_overlap_of_exactly_what_is_asked_is_enough() -> None:
    found = choose({KMEANS_3: figures(KMEANS_3, 0.6)}, {KMEANS_3: 0.1}, stability={KMEANS_3: 0.6})

    assert found.chosen.candidate == KMEANS_3


def test_an_unstable_candidate_never_comes_next() -> None:
    found = choose(
        {each: figures(each, 0.6) for each in (KMEANS_3, MIXTURE_3, KMEANS_4)},
        {KMEANS_3: 0.1, MIXTURE_3: 0.2, KMEANS_4: 0.3},
        stability={KMEANS_3: 0.9, MIXTURE_3: 0.3},
    )

    assert "Next came kmeans-4" in found.verdict
    assert "does not come back" not in found.verdict
