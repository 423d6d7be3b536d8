from dataclasses import replace

import numpy as np
import pytest

from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.churn_holdout import (
    ChurnFold,
    ServedChurn,
    choose_churn,
    churn_date_count,
    churn_folds,
    rank_churn,
)
from segspark.lifetime.churn_learning import (
    BOOSTED_TREES,
    RECENCY_ALONE,
    ChurnDate,
    ChurnTerms,
    churn_methods,
    learn_methods,
    recalibrated,
)
from segspark.lifetime.churn_methods import OwnChurn, SeenCustomers
from segspark.lifetime.churn_scores import ChurnScores
from tests.lifetimes import histories, simulated

TRUE = BgNbd(0.8, 30.0, 0.7, 2.0)
TERMS = ChurnTerms(60.0, ("recency",))


def past_day(name: str, *, seed: int, rows: int = 400, churn: float | None = None) -> ChurnDate:
    """Customers of up to 300 days of age; their churn is as the model tells, or all this."""
    seen = simulated(TRUE, np.full(rows, 300.0), seed=seed)
    features = (seen.ages - seen.last_repeat_times).reshape(-1, 1)
    customers = SeenCustomers(seen, features)
    likely = OwnChurn(TRUE, 60.0).probabilities(customers) if churn is None else churn
    truth = (np.random.default_rng(seed).random(rows) < likely).astype(np.float64)
    return ChurnDate.of(name, customers, truth)


@pytest.fixture(scope="module")
def days() -> tuple[ChurnDate, ...]:
    """The latest first."""
    return tuple(past_day(f"2024-0{4 - n}-01", seed=n) for n in range(4))


@pytest.fixture(scope="module")
def folds(days: tuple[ChurnDate, ...]) -> list[ChurnFold]:
    return [each for each in churn_folds(days, terms=TERMS) if isinstance(each, ChurnFold)]


def scored(brier: float) -> ChurnScores:
    return ChurnScores(0.2, 0.25, brier, 0.5, 0.7, 0.1)


def fold(**briers: float) -> ChurnFold:
    """Each Brier score is 0.02 off from the baseline's, give or take."""
    scores = {m: scored(b) for m, b in briers.items()}
    return ChurnFold("2024-01-01", 10, scores, {}, dict.fromkeys(briers, 0.02))


def test_every_method_is_tested_on_the_two_latest_days(folds: list[ChurnFold]) -> None:
    assert [each.name for each in folds] == ["2024-04-01", "2024-03-01"]
    for each in folds:
        assert set(each.scores) == set(each.bins) == set(churn_methods())
        assert len(churn_methods()) == 9
        for method, bins in each.bins.items():
            assert sum(b.customer_count for b in bins) == each.customer_count == 400, method


def test_a_day_that_is_tested_and_later_ones_teach_nothing(
    days: tuple[ChurnDate, ...], folds: list[ChurnFold]
) -> None:
    changed = replace(days[0], has_churned=1.0 - days[0].has_churned)
    again = list(churn_folds((changed, *days[1:]), terms=TERMS))
    assert again[1] == folds[1]
    assert isinstance(again[0], ChurnFold)
    for method, scores in again[0].scores.items():
        assert scores.predicted_mean == folds[0].scores[method].predicted_mean
        assert scores.brier_score != folds[0].scores[method].brier_score


def test_a_day_before_the_last_two_that_are_learnt_from_teaches_nothing(
    days: tuple[ChurnDate, ...], folds: list[ChurnFold]
) -> None:
    older = replace(days[3], has_churned=1.0 - days[3].has_churned)
    again = list(churn_folds((*days[:3], older), terms=TERMS))
    assert again[0] == folds[0]
    assert again[1] != folds[1]


def test_the_error_of_a_gap_is_that_of_the_customers_differences(
    days: tuple[ChurnDate, ...], folds: list[ChurnFold]
) -> None:
    methods = learn_methods(days[0].fitted, days[1:3], terms=TERMS).forecasters
    squares = [
        (methods[m].probabilities(days[0].customers) - days[0].has_churned) ** 2
        for m in ("BG/NBD", RECENCY_ALONE)
    ]
    differences = squares[0] - squares[1]
    expected = np.sqrt(differences.var() / len(differences))
    assert folds[0].gap_errors["BG/NBD"] == pytest.approx(expected)
    assert folds[0].gap_errors[RECENCY_ALONE] == 0.0


def test_trees_are_recalibrated_on_customers_that_they_have_not_learnt_from(
    days: tuple[ChurnDate, ...],
) -> None:
    # Features that are all noise: what trees see in them holds for their own customers alone.
    draw = np.random.default_rng(1)
    noisy = [
        replace(day, customers=replace(day.customers, features=draw.random((400, 20))))
        for day in days
    ]
    terms = ChurnTerms(60.0, tuple(f"f{n}" for n in range(20)))
    for past in (noisy[1:3], noisy[1:2]):
        found = learn_methods(days[0].fitted, past, terms=terms).forecasters
        raw = found[BOOSTED_TREES].probabilities(noisy[0].customers)
        mended = found[recalibrated(BOOSTED_TREES)].probabilities(noisy[0].customers)
        assert mended.std() < 0.3 * raw.std()
        assert found[recalibrated(BOOSTED_TREES)].feature_names == terms.feature_names


def test_the_lowest_mean_brier_score_wins() -> None:
    found = rank_churn([fold(A=0.20, B=0.10, C=0.14), fold(A=0.20, B=0.18, C=0.13)], days=90)
    assert found.mean_briers == pytest.approx({"C": 0.135, "B": 0.14, "A": 0.20})
    assert list(found.mean_briers) == ["C", "B", "A"]
    assert found.mean_ranks == {"A": 3.0, "B": 1.5, "C": 1.5}
    assert found.verdict == (
        "churn within 90 days: C wins the hold-out (Brier score 0.1350 over 2 folds, 0.1875 by "
        "the base rate)"
    )


def test_a_baseline_that_wins_is_called_one_and_a_model_has_it_beside() -> None:
    won = rank_churn([fold(**{RECENCY_ALONE: 0.1, BOOSTED_TREES: 0.2})], days=90)
    assert won.verdict == (
        "churn within 90 days: a baseline, recency alone, wins the hold-out (Brier score 0.1000 "
        "over one fold alone, 0.1875 by the base rate); the best model, boosted trees, has 0.1000 "
        "± 0.0200 more"
    )
    lost = rank_churn([fold(**{RECENCY_ALONE: 0.13, BOOSTED_TREES: 0.1})] * 4, days=90)
    assert lost.verdict.endswith("; the baseline, recency alone, has 0.0300 ± 0.0100 more")
    near = rank_churn([fold(**{RECENCY_ALONE: 0.13, BOOSTED_TREES: 0.1})], days=90)
    assert near.verdict.endswith(" has 0.0300 ± 0.0200 more, which may be chance")


def test_a_method_that_misses_a_fold_is_not_ranked() -> None:
    found = rank_churn([fold(A=0.2, B=0.1), fold(A=0.2)], days=90)
    assert list(found.mean_briers) == ["A"]
    nothing = rank_churn([], days=90)
    assert (nothing.winner, nothing.verdict) == (None, "churn within 90 days: not tested")


def test_the_winner_is_served_where_it_can_be_had_and_else_the_next(
    days: tuple[ChurnDate, ...],
) -> None:
    methods = learn_methods(days[0].fitted, days[1:], terms=TERMS)
    ranking = rank_churn([fold(**{"XYZ": 0.1, BOOSTED_TREES: 0.2})], days=60)
    served = choose_churn(ranking, methods, untested="BG/NBD")
    assert served == ServedChurn(BOOSTED_TREES, methods.forecasters[BOOSTED_TREES], is_tested=True)
    untested = choose_churn(rank_churn([], days=60), methods, untested="MBG/NBD")
    assert (untested.method, untested.is_tested) == ("MBG/NBD", False)
    assert isinstance(untested.forecaster, OwnChurn)


@pytest.mark.parametrize("churn", [0.0, 1.0])
def test_a_day_after_which_all_did_the_same_is_no_test(
    days: tuple[ChurnDate, ...], churn: float
) -> None:
    same = past_day("2024-05-01", seed=9, churn=churn)
    found = list(churn_folds((same, *days[:2]), terms=TERMS))
    assert found[0] == (
        f"no test of churn after 2024-05-01: {400 * churn:.0f} of 400 customers churned, which "
        "tells nobody apart"
    )
    assert isinstance(found[1], ChurnFold)


def test_from_a_past_where_hardly_anybody_churned_only_models_are_left(
    days: tuple[ChurnDate, ...],
) -> None:
    found = learn_methods(days[0].fitted, [past_day("2024-02-01", seed=3, churn=0.0)], terms=TERMS)
    assert set(found.forecasters) == {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
    for method in (recalibrated("BG/NBD"), RECENCY_ALONE, BOOSTED_TREES):
        assert found.failures[method] == (
            "too little to learn churn from: 0 of 400 customers of past days churned, and 10 who "
            "did and 10 who did not are needed"
        )


def test_a_model_that_could_not_be_fitted_then_is_not_recalibrated_now(
    days: tuple[ChurnDate, ...],
) -> None:
    then = replace(
        days[1],
        fitted=replace(
            days[1].fitted,
            fits={t: f for t, f in days[1].fitted.fits.items() if t != "BG/NBD"},
            failures={"BG/NBD": "BG/NBD could not be estimated"},
        ),
    )
    found = learn_methods(days[0].fitted, [then], terms=TERMS)
    assert "BG/NBD" in found.forecasters
    assert found.failures == {recalibrated("BG/NBD"): "BG/NBD could not be estimated"}


def test_five_customers_leave_sentences_and_no_forecast() -> None:
    five = SeenCustomers(histories(*[(1, 4, 9)] * 5), np.ones((5, 1)))
    day = ChurnDate.of("2024-01-01", five, np.array([1.0, 0, 0, 0, 0]))
    found = learn_methods(day.fitted, [day], terms=TERMS)
    assert found.forecasters == {}
    assert set(found.failures) == set(churn_methods())


@pytest.mark.parametrize(
    ("history", "count"), [(0, 0), (269, 0), (270, 2), (364, 3), (450, 4), (5_000, 4)]
)
def test_past_days_need_a_history_as_long_as_what_is_forecast(history: int, count: int) -> None:
    assert churn_date_count(history, churn_days=90) == count
