"""Which trials go on to more customers, and which of them to all."""

import re
from statistics import median

import numpy as np
import pytest

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.results import gain_of
from segspark.clustering.search_fits import PARTS
from segspark.clustering.search_trials import Search
from segspark.model.scores import Floats
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    SweepSettings,
)
from tests.searching import SWEEP, blobs, gain_by_hand, noise, searched

pytestmark = pytest.mark.usefixtures("one_thread")


def smallest_share(points: Floats, candidate: Candidate, sweep: SweepSettings) -> float:
    (model,) = fit_in_memory(points, [candidate], sweep).values()
    return float(np.bincount(model.assign(points), minlength=model.k).min() / len(points))


@pytest.fixture(scope="module")
def long_search() -> tuple[dict[str, Floats], Search]:
    samples = {"rfm_log": noise(3000), "behaviour": blobs(3000)}
    return samples, searched(samples, SearchSettings(trials=24, kept_candidates=3))


def test_pruned_trials_are_behind_the_median_of_those_finished_before_them(
    long_search: tuple[dict[str, Floats], Search],
) -> None:
    samples, found = long_search
    pruned = [each for each in found.trials if each.others is not None]

    assert pruned
    for each in pruned:
        assert each.customers in PARTS
        before = found.trials[: found.trials.index(each)]
        gains = [
            gain_by_hand(
                samples[other.proposal.recipe][: each.customers],
                other.proposal.candidate,
                SWEEP,
                whole=samples[other.proposal.recipe],
            )
            for other in before
            if other.is_able
        ]
        assert len(gains) >= 5
        assert each.others == pytest.approx(median(gains))
        assert gain_of(each.row) < median(gains)
        assert re.fullmatch(
            r"pruned after (500|2,000) customers of the sample: gain -?0\.\d{3}, the median of "
            r"others there -?0\.\d{3}",
            found.reason(each),
        )


def test_what_goes_on_is_the_best_of_one_recipe_that_was_never_pruned(
    long_search: tuple[dict[str, Floats], Search],
) -> None:
    _, found = long_search
    finished = [each for each in found.trials if each.is_able]
    own = [each for each in finished if each.proposal.recipe == "behaviour"]
    best = sorted(own, key=lambda each: -gain_of(each.row))[:3]

    assert found.recipe == "behaviour"
    assert [gain_of(each.row) for each in found.kept] == [gain_of(each.row) for each in best]
    assert {each.customers for each in found.kept} == {3000}
    reasons = {found.reason(each) for each in finished if each not in found.kept}
    assert reasons
    last, top = gain_of(found.kept[-1].row), gain_of(found.kept[0].row)
    for reason in reasons:
        assert reason.startswith("not kept: gain ")
        assert reason.endswith(
            (f"the last one kept has {last:.3f}", f"the recipe behaviour has one of {top:.3f}")
        )
    assert found.told.startswith("Tried beforehand were 24 candidates of behaviour and rfm_log on")


def test_a_trial_with_a_segment_that_is_too_small_is_refused_at_the_end_and_prunes_no_other() -> (
    None
):
    # Trees peel the far one off, which is among the first 500.
    points = np.vstack([blobs(3000), [[25.0, 25.0, 25.0]]])[::-1]
    trees = (Algorithm.AVERAGE_LINKAGE, Algorithm.COMPLETE_LINKAGE)
    sweep = SweepSettings(algorithms=(*trees, Algorithm.KMEANS), most_segments=10)

    found = searched({"rfm_log": points}, SearchSettings(trials=24), sweep)

    refused = [each for each in found.trials if each.proposal.candidate.algorithm in trees]
    assert len(refused) == 16
    for each in refused:
        assert found.reason(each).startswith(
            "refused on 3,001 customers of the sample: smallest segment holds 0."
        )
        assert each not in found.kept
    pruned = [each for each in found.trials if each.others is not None]
    assert pruned
    for each in pruned:
        few = points[: each.customers]
        gains = [
            gain_by_hand(few, other.proposal.candidate, sweep, whole=points)
            for other in found.trials[: found.trials.index(each)]
            if other.is_able and smallest_share(few, other.proposal.candidate, sweep) >= 0.02
        ]
        assert each.others == pytest.approx(median(gains))
