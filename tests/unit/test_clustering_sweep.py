from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.consensus import co_association, consensus_models
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import evidence
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.points import MemoryPoints
from segspark.clustering.results import CandidateResult
from segspark.clustering.sample_evidence import SampleEvidence
from segspark.clustering.stability import best_jaccards
from segspark.clustering.sweep import with_stability
from segspark.model.scores import Floats
from segspark.settings.training import (
    Algorithm,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)


def compared(
    values: Floats, candidates: Sequence[Candidate], settings: SweepSettings | None = None
) -> list[CandidateResult]:
    """Candidates, the first of which has the highest gain."""
    models = fit_in_memory(values, candidates, settings or SweepSettings())
    return [
        CandidateResult(
            FittedCandidate(candidate, clusters=models[candidate]),
            evidence(values, models[candidate].assign(values)),
            None,
            None,
            gain=1.0 - order / 10,
        )
        for order, candidate in enumerate(candidates)
    ]


def kmeans(counts: Sequence[int]) -> list[Candidate]:
    return [Candidate(Algorithm.KMEANS, count) for count in counts]


def measured(values: Floats, counts: tuple[int, ...], **settings: int) -> list[int]:
    """Numbers of segments of the candidates whose stability was looked at."""
    of_any_size = {"smallest_segment_ratio": 0.0, "stability_resamples": 2}
    selection = SelectionSettings.model_validate(of_any_size | settings)
    training = TrainingSettings(selection=selection)
    rows = with_stability(compared(values, kmeans(counts)), values, training)
    assert [row.candidate.segment_count for row in rows] == list(counts)
    return [row.candidate.segment_count for row in rows if row.stability is not None]


def test_stability_is_found_out_for_all_where_that_is_cheap() -> None:
    values, _ = make_blobs(400, 2, centers=[[0, 0], [9, 0], [0, 9]], random_state=6)

    assert measured(values, (3, 4, 5, 6, 7)) == [3, 4, 5, 6, 7]
    assert measured(values, (3, 4), stability_resamples=0) == []


def test_stability_is_found_out_by_threes_until_one_is_stable_where_it_is_dear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values, _ = make_blobs(400, 2, centers=[[0, 0], [9, 0], [0, 9]], random_state=6)
    monkeypatch.setattr("segspark.clustering.sweep._CHEAP_DISTANCES", 1)

    assert measured(values, (5, 3, 7, 4, 6)) == [5, 3, 7]
    assert measured(values, (14, 12, 13, 11, 3, 10, 9)) == [14, 12, 13, 11, 3, 10]


def test_separated_segments_are_looked_at_once_all_of_a_high_gain_prove_unstable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values, _ = make_blobs(400, 2, centers=[[0, 0], [9, 0], [0, 9]], random_state=6)
    monkeypatch.setattr("segspark.clustering.sweep._CHEAP_DISTANCES", 1)
    selection = SelectionSettings(smallest_segment_ratio=0.0, stability_resamples=2)
    rows = compared(values, kmeans((14, 12, 13, 11, 10, 9, 3)))
    gains = (0.9, 0.8, 0.7, 0.04, 0.03, 0.02, 0.01)
    rows = [replace(row, gain=gain) for row, gain in zip(rows, gains, strict=True)]
    rows[-1] = replace(rows[-1], sampled=SampleEvidence(None, None, separated_pair_ratio=1.0))

    found = with_stability(rows, values, TrainingSettings(selection=selection))

    looked_at = [row.candidate.segment_count for row in found if row.stability is not None]
    assert looked_at == [14, 12, 13, 11, 10, 3]


@pytest.mark.parametrize("cheap_distances", [1, 10**9])
def test_a_consensus_comes_back_as_far_as_that_of_resampled_candidates_does(
    monkeypatch: pytest.MonkeyPatch, cheap_distances: int
) -> None:
    values, _ = make_blobs(300, 2, centers=4, cluster_std=3.0, random_state=6)
    monkeypatch.setattr("segspark.clustering.sweep._CHEAP_DISTANCES", cheap_distances)
    sweep = SweepSettings(micro_cluster_count=200, kmeans_restarts=1, seed=3)
    others = [*kmeans((3, 4, 5)), Candidate(Algorithm.GAUSSIAN_MIXTURE, 3)]
    consensus = Candidate(Algorithm.CONSENSUS, 3)
    rows = compared(values, [consensus, *others], sweep)
    selection = SelectionSettings(
        smallest_segment_ratio=0.0, stability_resamples=2, least_stability=0.0
    )

    found = with_stability(rows, values, TrainingSettings(sweep=sweep, selection=selection))

    own = rows[0].fitted.clusters
    assert own is not None
    overlaps = []
    for generator in np.random.default_rng(3).spawn(2):
        drawn = generator.integers(300, size=300)
        once = np.unique(drawn)
        agreed_on = list(fit_in_memory(values[drawn], others, sweep).values())
        micro = micro_clusters(MemoryPoints(values[drawn]), sweep)
        (again,) = consensus_models(micro, co_association(micro, agreed_on), [3])
        overlaps.append(best_jaccards(own.assign(values[once]), again.assign(values[once])))
    expected = [np.mean([each[cluster] for each in overlaps]) for cluster in range(3)]
    stability = found[0].stability
    assert stability is not None
    assert stability.jaccards == pytest.approx(expected, rel=1e-12)
    assert stability.mean < 0.95
    assert all(row.stability is not None for row in found)
