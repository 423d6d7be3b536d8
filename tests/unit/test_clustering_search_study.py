"""What Optuna proposes, and what it is told."""

import sys
from typing import Any

import numpy as np
import pytest

from segspark.clustering import search
from segspark.clustering.engine import Candidate
from segspark.clustering.search_study import Proposal, Study
from segspark.errors import SetupError
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    Covariance,
    EmbeddingMethod,
    SweepSettings,
)
from tests.searching import blobs, grid, noise, searched

pytestmark = pytest.mark.usefixtures("one_thread")


def everything() -> list[Proposal]:
    """A grid with every dimension that there is."""
    sweep = SweepSettings(
        algorithms=tuple(each for each in Algorithm if each is not Algorithm.CONSENSUS),
        covariances=tuple(Covariance),
        embeddings=(EmbeddingMethod.NONE, EmbeddingMethod.PCA),
        most_segments=5,
    )
    return grid({"rfm_log": blobs(300), "behaviour": noise(300)}, sweep)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_proposal_of_a_grid_is_made_once(seed: int) -> None:
    grid = everything()
    study = Study(grid, seed=seed)
    made = []

    for _ in grid:
        proposal, trial = study.begun()
        study.finished(trial, gain=float(len(proposal.name) % 5))
        made.append(proposal)

    assert len(set(made)) == len(made) == len(grid)
    assert set(made) == set(grid)


def test_a_study_comes_back_to_where_gains_are_high() -> None:
    grid = [Proposal("rfm_log", Candidate(Algorithm.KMEANS, segments)) for segments in range(2, 52)]

    def first_twenty(best: int) -> list[int]:
        study, made = Study(grid, seed=1), []
        for _ in range(20):
            proposal, trial = study.begun()
            made.append(proposal.candidate.segment_count)
            study.finished(trial, gain=-abs(proposal.candidate.segment_count - best) / 50)
        # Ten are random, the others follow from what came of those before.
        return made[10:]

    low, high = first_twenty(8), first_twenty(45)

    assert np.median(low) < 18
    assert np.median(high) > 35


def test_what_cannot_be_chosen_is_worse_than_the_lowest_gain() -> None:
    grid = [Proposal("rfm_log", Candidate(Algorithm.KMEANS, segments)) for segments in range(2, 52)]
    study, made = Study(grid, seed=1), []

    for _ in range(25):
        proposal, trial = study.begun()
        made.append(proposal.candidate.segment_count)
        study.finished(trial, gain=None if made[-1] < 27 else -1.0)

    assert np.mean([each >= 27 for each in made[10:]]) > 0.65


def study_of(*parts_of_finished: dict[int, float], gain: float | None) -> Study:
    """A study in which trials with these gains by customers went on to the end."""
    grid = [Proposal("rfm_log", Candidate(Algorithm.KMEANS, segments)) for segments in range(2, 52)]
    study = Study(grid, seed=1)
    for parts in parts_of_finished:
        _, trial = study.begun()
        for customers, found in parts.items():
            assert study.pruned(trial, gain=found, customers=customers) is None
        study.finished(trial, gain=gain)
    return study


def test_trials_that_are_refused_at_the_end_prune_no_other() -> None:
    refused = study_of(*[{500: 0.9}] * 6, gain=None)
    able = study_of(*[{500: 0.9}] * 5, gain=0.9)
    few = study_of(*[{500: 0.9}] * 4, gain=0.9)

    assert refused.pruned(refused.begun()[1], gain=0.1, customers=500) is None
    assert able.pruned(able.begun()[1], gain=0.1, customers=500) == 0.9
    assert few.pruned(few.begun()[1], gain=0.1, customers=500) is None


def test_gains_are_compared_on_the_same_part_however_high_they_were_on_fewer_customers() -> None:
    finished = [{500: 0.30, 2_000: gain} for gain in (0.15, 0.18, 0.20, 0.22, 0.25)]
    study = study_of(*finished, gain=0.2)
    _, falling = study.begun()
    _, level = study.begun()

    assert study.pruned(falling, gain=0.50, customers=500) is None
    assert study.pruned(falling, gain=0.10, customers=2_000) == 0.20
    assert study.pruned(level, gain=0.30, customers=500) is None
    assert study.pruned(level, gain=0.20, customers=2_000) is None


def test_optuna_is_told_the_gains_of_what_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float | None] = []

    class Listening(Study):
        def finished(self, trial: Any, *, gain: float | None) -> None:  # noqa: ANN401 - Optuna's
            told.append(gain)
            super().finished(trial, gain=gain)

    monkeypatch.setattr(search, "Study", Listening)
    points = np.vstack([blobs(400), [[60.0, 60.0, 60.0]]])

    found = searched({"rfm_log": points}, SearchSettings(trials=15))

    assert told == [each.row.gain if each.is_able else None for each in found.trials]
    assert None in told
    assert len(set(told)) > 2


def test_a_search_without_optuna_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(SetupError, match=r"needs Optuna.*pip install 'segspark\[search\]'"):
        searched({"rfm_log": blobs(100)}, SearchSettings(trials=1))


def test_optuna_says_nothing_of_its_own_and_keeps_its_verbosity(
    capfd: pytest.CaptureFixture[str],
) -> None:
    import optuna  # noqa: PLC0415 - an extra, which takes a second to import

    before = optuna.logging.get_verbosity()

    searched({"rfm_log": blobs(200)}, SearchSettings(trials=14))

    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before
