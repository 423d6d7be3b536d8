"""What the verdict says of the choice, and what other rules would have taken."""

from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.settings.training import Algorithm, Covariance
from tests.selecting import (
    ENCODED_3,
    HIGHEST,
    KMEANS_3,
    KMEANS_4,
    KMEANS_5,
    MIXTURE_3,
    PCA_3,
    PCA_4,
    PCA_5,
    choose,
    figures,
    reason_of,
)


def test_a_gain_below_the_margin_is_called_a_discretisation() -> None:
    found = choose({KMEANS_3: figures(KMEANS_3, 0.5)}, {KMEANS_3: 0.46})

    assert not found.has_natural_clusters
    assert found.verdict.startswith(
        "No natural clusters: this is a discretisation of a continuum (the gain is 0.040, "
        "and 0.050 is asked). Chosen: kmeans-3"
    )


def test_clusters_along_columns_of_several_modes_are_natural() -> None:
    told = {KMEANS_3: figures(KMEANS_3, 0.5)}

    found = choose(told, {KMEANS_3: 0.46}, single_mode={KMEANS_3: 0.3})
    clearer = choose(told, {KMEANS_3: 0.4}, single_mode={KMEANS_3: 0.3})
    neither = choose(told, {KMEANS_3: 0.47}, single_mode={KMEANS_3: 0.46})

    assert found.has_natural_clusters
    assert found.verdict.startswith(
        "Natural clusters along single columns: some have several modes, and the gain over data "
        "whose columns have one each is 0.200. Chosen: kmeans-3"
    )
    assert clearer.has_natural_clusters
    assert clearer.verdict.startswith("Chosen: kmeans-3")
    assert not neither.has_natural_clusters


def test_segments_with_few_customers_between_them_are_natural_and_come_first() -> None:
    told = {KMEANS_3: figures(KMEANS_3, 0.5), MIXTURE_3: figures(MIXTURE_3, 0.4)}
    apart = {KMEANS_3: 2 / 3, MIXTURE_3: 1.0}

    found = choose(told, {KMEANS_3: 0.49, MIXTURE_3: 0.49}, separated=apart)
    by_gain = choose(told, {KMEANS_3: 0.4, MIXTURE_3: 0.4}, separated=apart)
    unstable = choose(
        told, {KMEANS_3: 0.49, MIXTURE_3: 0.49}, separated=apart, stability={MIXTURE_3: 0.5}
    )

    assert found.chosen.candidate == MIXTURE_3
    assert found.has_natural_clusters
    assert found.verdict.startswith(
        "Natural clusters that are not round: customers are few between any two segments, though "
        "their silhouette tells of none (the gain is -0.090). Chosen: gaussian_mixture-3"
    )
    assert "Next came kmeans-3 with 0.010." in found.verdict
    assert reason_of(found, MIXTURE_3) == (
        "chosen: few customers between any two segments (gain over structureless data -0.090)"
    )
    assert reason_of(found, KMEANS_3) == (
        "gain over structureless data 0.010, and some of its segments run into each other"
    )
    assert by_gain.chosen.candidate == KMEANS_3
    assert reason_of(by_gain, MIXTURE_3).endswith("the chosen one has 0.100")
    assert unstable.chosen.candidate == KMEANS_3
    assert not unstable.has_natural_clusters
    assert "does not come back" not in unstable.verdict


def test_separated_segments_come_before_others_once_the_highest_gain_proves_unstable() -> None:
    told = {
        KMEANS_4: figures(KMEANS_4, 0.6),
        KMEANS_3: figures(KMEANS_3, 0.5),
        MIXTURE_3: figures(MIXTURE_3, 0.4),
    }
    unstable = {KMEANS_4: 0.4, KMEANS_3: 0.9, MIXTURE_3: 0.9}

    found = choose(told, dict.fromkeys(told, 0.49), separated={MIXTURE_3: 1.0}, stability=unstable)
    in_doubt = choose(told, dict.fromkeys(told, 0.49), separated={MIXTURE_3: 1.0})

    assert found.chosen.candidate == MIXTURE_3
    assert found.has_natural_clusters
    assert "kmeans-4 has a higher gain of 0.110 but does not come back" in found.verdict
    assert in_doubt.chosen.candidate == KMEANS_4


def test_a_consensus_that_does_not_come_back_is_not_chosen() -> None:
    consensus = Candidate(Algorithm.CONSENSUS, 3)
    told = {KMEANS_3: figures(KMEANS_3, 0.5), consensus: figures(consensus, 0.6)}
    stability = {KMEANS_3: 0.9, consensus: 0.3}

    found = choose(told, dict.fromkeys(told, 0.4), stability=stability)

    assert found.chosen.candidate == KMEANS_3
    assert "consensus-3 has a higher gain of 0.200 but does not come back" in found.verdict


def test_the_best_on_a_vector_is_that_of_the_highest_gain_whatever_comes_first() -> None:
    told = {
        KMEANS_3: figures(KMEANS_3, 0.5),
        MIXTURE_3: figures(MIXTURE_3, 0.4),
        PCA_3: figures(PCA_3, 0.45),
    }

    found = choose(told, dict.fromkeys(told, 0.49), separated={MIXTURE_3: 1.0})

    assert found.chosen.candidate == MIXTURE_3
    assert "the best on the plain vector is kmeans-3 with 0.010" in found.verdict


def test_where_none_comes_back_nothing_is_called_natural() -> None:
    told = {KMEANS_3: figures(KMEANS_3, 0.5)}

    found = choose(told, {KMEANS_3: 0.49}, separated={KMEANS_3: 1.0}, stability={KMEANS_3: 0.5})

    assert not found.has_natural_clusters
    assert "Natural clusters" not in found.verdict


def test_the_verdict_holds_the_best_embedding_against_the_plain_vector() -> None:
    evidence = {
        KMEANS_3: figures(KMEANS_3, 0.5),
        PCA_3: figures(PCA_3, 0.6),
        ENCODED_3: figures(ENCODED_3, 0.4),
    }
    told = "By gain the best on the plain vector is kmeans-3 with 0.250, and the best on an "

    chosen = choose(evidence, dict.fromkeys(evidence, 0.25))
    unstable = choose(
        evidence, dict.fromkeys(evidence, 0.25), stability={PCA_3: 0.3, KMEANS_3: 0.9}
    )
    small = choose(
        {KMEANS_3: figures(KMEANS_3, 0.5), PCA_3: figures(PCA_3, 0.6, smallest=4)},
        {KMEANS_3: 0.25, PCA_3: 0.25},
    )
    without = choose({KMEANS_3: figures(KMEANS_3, 0.5)}, {KMEANS_3: 0.25})
    alone = choose({PCA_3: figures(PCA_3, 0.5)}, {PCA_3: 0.25})

    assert chosen.chosen.candidate == PCA_3
    assert f"{told}embedding is pca-kmeans-3 with 0.350." in chosen.verdict
    assert unstable.chosen.candidate == KMEANS_3
    assert f"{told}embedding is autoencoder-kmeans-3 with 0.150." in unstable.verdict
    assert f"{told}embedding is none that can be chosen." in small.verdict
    assert "embedding" not in without.verdict
    assert "embedding" not in alone.verdict


def test_each_embedding_has_its_own_elbow() -> None:
    within = {KMEANS_3: 9.0, KMEANS_4: 5.0, KMEANS_5: 4.0, PCA_3: 9.0, PCA_4: 8.5, PCA_5: 1.0}
    evidence = {each: figures(each, 0.5, within=cost) for each, cost in within.items()}

    found = choose(evidence, dict.fromkeys(evidence, 0.25))

    assert [row.candidate for row in found.rows if row.is_elbow] == [KMEANS_4]


def test_the_verdict_names_elbows_on_the_plain_vector_alone() -> None:
    costs = [9.0, 5.0, 4.0]
    within = dict(zip([KMEANS_3, KMEANS_4, KMEANS_5, PCA_3, PCA_4, PCA_5], costs * 2, strict=True))
    evidence = {each: figures(each, 0.5, within=cost) for each, cost in within.items()}

    found = choose(evidence, dict.fromkeys(evidence, 0.25))

    assert [row.candidate for row in found.rows if row.is_elbow] == [KMEANS_4, PCA_4]
    assert "elbow at kmeans-4." in found.verdict


def test_each_algorithm_has_its_own_elbow_of_the_within_sum() -> None:
    kmeans = [Candidate(Algorithm.KMEANS, count) for count in (3, 4, 5, 6)]
    mixtures = [Candidate(Algorithm.GAUSSIAN_MIXTURE, count) for count in (3, 4, 5)]
    sums = dict(zip(kmeans, (100.0, 40.0, 35.0, 30.0), strict=True))
    sums |= dict(zip(mixtures, (90.0, 60.0, 30.0), strict=True))
    evidence = {each: figures(each, 0.5, within=within) for each, within in sums.items()}

    found = choose(evidence, dict.fromkeys(evidence, 0.25))

    assert [row.candidate for row in found.rows if row.is_elbow] == [kmeans[1]]


def test_each_covariance_has_its_own_elbow_and_equal_gains_go_to_the_full_one() -> None:
    tied, full = (
        [Candidate(Algorithm.GAUSSIAN_MIXTURE, k, covariance=shape) for k in (3, 4, 5)]
        for shape in (Covariance.TIED, Covariance.FULL)
    )
    sums = dict(zip(tied, (100.0, 40.0, 35.0), strict=True))
    sums |= dict(zip(full, (90.0, 60.0, 30.0), strict=True))
    evidence = {each: figures(each, 0.5, within=within) for each, within in sums.items()}

    found = choose(evidence, dict.fromkeys(evidence, 0.25))

    assert [row.candidate for row in found.rows if row.is_elbow] == [tied[1]]
    assert found.chosen.candidate == full[0]
    assert found.plain_maximum.candidate == full[0]


def test_a_candidate_that_does_not_come_back_is_passed_over_and_the_verdict_says_so() -> None:
    found = choose(
        {
            KMEANS_3: figures(KMEANS_3, 0.6),
            KMEANS_4: figures(KMEANS_4, 0.5),
            MIXTURE_3: figures(MIXTURE_3, 0.4),
        },
        {KMEANS_3: 0.1, KMEANS_4: 0.1, MIXTURE_3: 0.1},
        stability={KMEANS_3: 0.59, KMEANS_4: 0.75},
    )

    assert found.chosen.candidate == KMEANS_4
    assert reason_of(found, KMEANS_3) == (
        "unstable: in resamples its segments come back with a mean Jaccard of 0.59, below the "
        "0.60 asked"
    )
    assert reason_of(found, KMEANS_4) == (
        "chosen: gain over structureless data 0.400, the highest of those whose segments come "
        "back (mean Jaccard 0.75)"
    )
    assert found.verdict == (
        "Chosen: kmeans-4, whose silhouette of 0.500 is 0.400 above that of data without "
        "clusters. In 10 resamples its segments come back with a mean Jaccard of 0.75, the least "
        "stable one with 0.65. kmeans-3 has a higher gain of 0.500 but does not come back: its "
        "mean Jaccard is 0.59, below the 0.60 asked. Next came gaussian_mixture-3 with 0.300. "
        "The highest silhouette alone would have chosen kmeans-3 (0.600)."
    )


def test_where_no_segments_come_back_the_most_stable_are_taken_and_the_verdict_warns() -> None:
    found = choose(
        {KMEANS_3: figures(KMEANS_3, 0.6), KMEANS_4: figures(KMEANS_4, 0.9, smallest=4)}
        | {MIXTURE_3: figures(MIXTURE_3, 0.5)},
        {KMEANS_3: 0.1, KMEANS_4: 0.1, MIXTURE_3: 0.1},
        stability={KMEANS_3: 0.4, MIXTURE_3: 0.5},
    )

    assert found.chosen.candidate == MIXTURE_3
    assert not found.has_natural_clusters
    assert reason_of(found, MIXTURE_3) == (
        "chosen: the most stable, though below the 0.60 asked (mean Jaccard 0.50)"
    )
    assert reason_of(found, KMEANS_3).startswith("unstable: in resamples")
    assert found.verdict.startswith(
        "No stable segments: no candidate's come back in resamples with the mean Jaccard of 0.60 "
        "asked, so the most stable one is taken, and the next training may draw its borders "
        "elsewhere. Chosen: gaussian_mixture-3"
    )
    assert "has a higher gain" not in found.verdict


def test_the_verdict_says_what_the_elbow_and_bic_would_have_taken() -> None:
    kmeans = [Candidate(Algorithm.KMEANS, count) for count in (3, 4, 5)]
    mixtures = [Candidate(Algorithm.GAUSSIAN_MIXTURE, count) for count in (3, 4, 5)]
    evidence = {
        each: figures(each, 0.5, within=within)
        for each, within in zip(kmeans, (100.0, 40.0, 35.0), strict=True)
    } | {
        each: figures(each, 0.4, within=within, log_likelihood=likelihood)
        for each, within, likelihood in zip(
            mixtures, (100.0, 50.0, 45.0), (-900.0, -700.0, -690.0), strict=True
        )
    }

    found = choose(evidence, dict.fromkeys(evidence, 0.1))

    assert found.verdict.endswith(
        f"{HIGHEST} The within sum has its elbow at kmeans-4 and gaussian_mixture-4. "
        "Of the mixtures BIC takes gaussian_mixture-4."
    )


def test_the_verdict_says_where_bic_does_not_stop() -> None:
    evidence = {
        KMEANS_3: figures(KMEANS_3, 0.5),
        MIXTURE_3: figures(MIXTURE_3, 0.4, log_likelihood=-900.0),
    }

    found = choose(evidence, dict.fromkeys(evidence, 0.1))

    assert found.verdict.endswith(
        "Of the mixtures BIC takes gaussian_mixture-3 and might take more segments still."
    )


def test_only_mixtures_tell_whether_bic_might_take_more_segments() -> None:
    found_six = Candidate(Algorithm.DBSCAN, 6, eps=0.5)
    mixture_4 = Candidate(Algorithm.GAUSSIAN_MIXTURE, 4)
    evidence = {MIXTURE_3: figures(MIXTURE_3, 0.5, log_likelihood=-900.0)}
    refused = (
        FittedCandidate(found_six, refusal="segments found: 6, and 3 to 5 are asked"),
        FittedCandidate(KMEANS_5, refusal="5 segments were asked of 4 distinct points"),
    )

    beside_others = choose(evidence, {MIXTURE_3: 0.1}, refused=refused)
    beside_more = choose(
        evidence | {mixture_4: figures(mixture_4, 0.4, log_likelihood=-899.0)}, {MIXTURE_3: 0.1}
    )

    assert beside_others.verdict.endswith("gaussian_mixture-3 and might take more segments still.")
    assert beside_more.verdict.endswith("BIC takes gaussian_mixture-3.")
