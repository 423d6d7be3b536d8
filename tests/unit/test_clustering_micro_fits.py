import numpy as np
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.engine import Candidate, FittedCandidate, candidates_of
from segspark.clustering.micro_fits import fitted_on
from segspark.model.clusters import Centres
from segspark.model.micro_clusters import MicroClusterModel
from segspark.settings.training import Algorithm, Covariance, SweepSettings
from tests.micro import each_its_own, finely

ON_MICRO_CLUSTERS = [each for each in Algorithm if each.is_on_micro_clusters]
POINTS, MOON_OF = make_moons(2000, noise=0.06, random_state=1)
PILES = ((0.0, 10), (100.0, 20), (200.0, 30), (300.0, 40))


def settings_of(*algorithms: Algorithm, eps: tuple[float, ...] = ()) -> SweepSettings:
    return SweepSettings(algorithms=algorithms, fewest_segments=2, most_segments=4, dbscan_eps=eps)


def fitted(settings: SweepSettings) -> list[FittedCandidate]:
    candidates = candidates_of(settings)
    found = fitted_on(finely(POINTS), candidates, settings, beside=[])
    return [found[each] for each in candidates]


def test_every_number_of_segments_or_every_eps_is_a_candidate() -> None:
    settings = settings_of(Algorithm.WARD, Algorithm.DBSCAN, eps=(0.5, 1.25))

    assert [each.candidate_id for each in candidates_of(settings)] == [
        "ward-2",
        "ward-3",
        "ward-4",
        "dbscan-eps0.5",
        "dbscan-eps1.25",
    ]
    assert [each.candidate_id for each in candidates_of(settings_of(Algorithm.DBSCAN))] == [
        "dbscan"
    ]
    both = settings_of(Algorithm.DBSCAN, Algorithm.HDBSCAN, eps=(0.5, 1.25))
    assert candidates_of(both)[2:] == [Candidate(Algorithm.HDBSCAN)]


def test_mixtures_are_tried_with_every_covariance_and_full_goes_without_saying() -> None:
    settings = SweepSettings(
        algorithms=(Algorithm.KMEANS, Algorithm.GAUSSIAN_MIXTURE),
        covariances=(Covariance.SPHERICAL, Covariance.FULL),
        most_segments=4,
    )

    found = candidates_of(settings)

    assert [each.candidate_id for each in found] == [
        "kmeans-3",
        "kmeans-4",
        "gaussian_mixture-spherical-3",
        "gaussian_mixture-spherical-4",
        "gaussian_mixture-3",
        "gaussian_mixture-4",
    ]
    assert [each.covariance for each in found[1:3]] == [None, Covariance.SPHERICAL]
    assert found[-1] == Candidate(Algorithm.GAUSSIAN_MIXTURE, 4)


def test_all_families_fit_the_same_micro_clusters() -> None:
    results = fitted(settings_of(*ON_MICRO_CLUSTERS))

    models = [each.clusters for each in results]
    assert len(models) == 4 * 3 + 2
    assert all(isinstance(each, MicroClusterModel) for each in models)
    for each, model in zip(results, models, strict=True):
        assert model is not None
        assert each.candidate.segment_count == model.k == len(np.unique(model.assign(POINTS)))


def test_what_density_finds_becomes_the_candidate_with_its_eps() -> None:
    (alone,) = fitted(settings_of(Algorithm.DBSCAN))
    unsound, sound, joined = fitted(settings_of(Algorithm.DBSCAN, eps=(0.05, 0.2, 2.0)))

    assert alone.candidate.segment_count == 2
    assert alone.candidate.eps is not None
    assert alone.candidate.candidate_id == f"dbscan-eps{alone.candidate.eps}"
    assert sound.candidate == Candidate(Algorithm.DBSCAN, 2, 0.2)
    assert unsound.clusters is None
    assert "above 0.2 of eps 0.05: raise" in (unsound.refusal or "")
    assert joined.candidate == Candidate(Algorithm.DBSCAN, 1, 2.0)
    assert joined.refusal == "segments found: 1, and 2 to 4 are asked in training.sweep"


def test_what_hdbscan_finds_becomes_the_candidate_and_noise_is_refused() -> None:
    candidate = Candidate(Algorithm.HDBSCAN)
    noise = np.random.default_rng(3).normal(size=(2000, 3))
    settings = settings_of(Algorithm.HDBSCAN)

    (found,) = fitted(settings)
    refused = fitted_on(finely(noise), [candidate], settings, beside=[])[candidate]

    assert found.candidate == Candidate(Algorithm.HDBSCAN, 2)
    assert found.candidate.candidate_id == "hdbscan"
    assert found.clusters is not None
    assert adjusted_rand_score(found.clusters.assign(POINTS), MOON_OF) == 1.0
    assert refused.candidate == candidate
    assert refused.refusal == "segments found: 0, and 2 to 4 are asked in training.sweep"


def test_a_segment_of_hdbscan_holds_the_share_of_customers_that_is_asked() -> None:
    line = np.concatenate([start + np.arange(size) * 0.1 for start, size in PILES])
    candidate = Candidate(Algorithm.HDBSCAN)

    def segments(ratio: float) -> int:
        settings = SweepSettings(fewest_segments=2, hdbscan_smallest_ratio=ratio)
        found = fitted_on(each_its_own(line[:, None]), [candidate], settings, beside=[])
        return found[candidate].candidate.segment_count

    assert (segments(0.05), segments(0.15), segments(0.25)) == (4, 3, 2)


def test_a_consensus_counts_the_models_beside_it_and_those_on_micro_clusters() -> None:
    micro = each_its_own(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]))
    beside = [Centres(np.array([[0.0], [4.2]]))]
    settings = SweepSettings(
        algorithms=(Algorithm.WARD, Algorithm.CONSENSUS), fewest_segments=2, most_segments=2
    )
    ward, consensus = candidates_of(settings)

    alone = fitted_on(micro, [consensus], settings, beside=beside)[consensus].clusters
    both = fitted_on(micro, [ward, consensus], settings, beside=beside)[consensus].clusters

    assert isinstance(alone, MicroClusterModel)
    assert isinstance(both, MicroClusterModel)
    assert alone.agreement is not None
    assert both.agreement is not None
    assert set(np.unique(alone.agreement)) == {0.0, 1.0}
    assert not np.array_equal(both.agreement, alone.agreement)


def test_a_consensus_of_nothing_and_too_few_micro_clusters_are_refused() -> None:
    consensus = Candidate(Algorithm.CONSENSUS, 2)
    micro = each_its_own(np.array([[0.0], [1.0], [2.0]]))
    settings = SweepSettings()

    of_nothing = fitted_on(micro, [consensus], settings, beside=[])
    too_many = fitted_on(
        micro,
        [Candidate(Algorithm.WARD, 4), Candidate(Algorithm.CONSENSUS, 4)],
        settings,
        beside=[Centres(np.zeros((1, 1)))],
    )

    assert of_nothing[consensus].refusal == "no other candidate was fitted that it could agree with"
    assert {each.refusal for each in too_many.values()} == {
        "4 segments were asked of 3 micro-clusters"
    }


def test_customers_at_one_point_are_refused_an_eps_of_their_own() -> None:
    dbscan = Candidate(Algorithm.DBSCAN)

    found = fitted_on(each_its_own(np.zeros((1, 2))), [dbscan], SweepSettings(), beside=[])

    assert "give no eps: name one in training.sweep.dbscan_eps" in (found[dbscan].refusal or "")
