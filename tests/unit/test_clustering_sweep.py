from dataclasses import replace

import pytest
from sklearn.datasets import make_blobs

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import evidence
from segspark.clustering.results import CandidateResult
from segspark.clustering.sample_evidence import SampleEvidence
from segspark.clustering.sweep import with_stability
from segspark.model.scores import Floats
from segspark.settings.training import (
    Algorithm,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)


def compared(values: Floats, counts: tuple[int, ...]) -> list[CandidateResult]:
    """KMeans candidates, the first of which has the highest gain."""
    rows = []
    for order, count in enumerate(counts):
        candidate = Candidate(Algorithm.KMEANS, count)
        model = fit_in_memory(values, [candidate], SweepSettings())[candidate]
        found = evidence(values, model.assign(values))
        fitted = FittedCandidate(candidate, clusters=model)
        rows.append(CandidateResult(fitted, found, None, None, gain=1.0 - order / 10))
    return rows


def measured(values: Floats, counts: tuple[int, ...], **settings: int) -> list[int]:
    """Numbers of segments of the candidates whose stability was looked at."""
    of_any_size = {"smallest_segment_ratio": 0.0, "stability_resamples": 2}
    selection = SelectionSettings.model_validate(of_any_size | settings)
    training = TrainingSettings(selection=selection)
    rows = with_stability(compared(values, counts), values, training)
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
    rows = compared(values, (14, 12, 13, 11, 10, 9, 3))
    gains = (0.9, 0.8, 0.7, 0.04, 0.03, 0.02, 0.01)
    rows = [replace(row, gain=gain) for row, gain in zip(rows, gains, strict=True)]
    rows[-1] = replace(rows[-1], sampled=SampleEvidence(None, None, separated_pair_ratio=1.0))

    found = with_stability(rows, values, TrainingSettings(selection=selection))

    looked_at = [row.candidate.segment_count for row in found if row.stability is not None]
    assert looked_at == [14, 12, 13, 11, 10, 3]
