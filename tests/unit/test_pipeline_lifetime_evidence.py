import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.choice import choose_models
from segspark.lifetime.fitted import SpendBasis, Statistics, fit_models
from segspark.lifetime.holdout import (
    HISTORIC_SPEND,
    NAIVE_RATE,
    RECENCY_CUT_OFF,
    evaluate_fold,
    value_method,
)
from segspark.lifetime.observed import Fold, ObservedCustomers
from segspark.pipeline.lifetime_evidence import (
    NO_HOLD_OUT,
    Evidence,
    calibration_rows,
    model_rows,
    score_rows,
)
from tests.lifetimes import histories, simulated

NAMES = (
    "lifetime_id", "forecast", "method", "kind", "parameters_json", "log_likelihood",
    "customer_count", "warnings", "mean_rank", "is_winner", "is_chosen", "reason",
)  # fmt: skip


def some_customers(*, spend: float = 1.0) -> ObservedCustomers:
    rows = simulated(BgNbd(0.8, 30.0, 0.7, 2.0), np.full(400, 200.0), seed=1)
    means = spend * np.random.default_rng(1).gamma(6.0, 2.0, 400)
    return ObservedCustomers(rows, np.where(rows.repeat_counts > 0.0, means, 0.0), means)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """One fold of 30 days in which customers go on as they did."""
    customers = some_customers()
    later = np.round(customers.histories.repeat_counts * 30.0 / 200.0)
    fold = Fold("2024-01-31", 30.0, customers, later, later * customers.day_means)
    return Evidence.of(fit_models(Statistics.of(customers)), (evaluate_fold(fold),))


def models_of(evidence: Evidence) -> dict[tuple[str, str], dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        dict(zip(NAMES, row, strict=True)) for row in model_rows("life", evidence)
    ]
    return {(row["forecast"], row["method"]): row for row in rows}


def test_every_method_has_a_row_whose_reason_fits_its_flags(evidence: Evidence) -> None:
    found = models_of(evidence)

    assert len(found) == 5 + 10
    for forecast in ("purchases", "value"):
        own = [row for (of, _), row in found.items() if of == forecast]
        (winner,) = [row for row in own if row["is_winner"]]
        (chosen,) = [row for row in own if row["is_chosen"]]
        assert winner["mean_rank"] == min(row["mean_rank"] for row in own)
        assert "wins the hold-out (mean rank" in chosen["reason"]
        for row in own:
            if not (row["is_winner"] or row["is_chosen"]):
                assert row["reason"].startswith("mean rank ")
                assert row["reason"].endswith(f", behind {winner['method']}")


def test_a_winning_baseline_says_why_customers_are_not_valued_with_it(evidence: Evidence) -> None:
    first = {NAIVE_RATE: 1.0, **{m: 2.0 for m in evidence.purchases.mean_ranks if m != NAIVE_RATE}}
    found = models_of(replace(evidence, purchases=replace(evidence.purchases, mean_ranks=first)))
    naive = found["purchases", NAIVE_RATE]
    assert (naive["kind"], naive["is_winner"], naive["is_chosen"]) == ("baseline", True, False)
    assert naive["reason"] == (
        "it wins the hold-out, but a baseline knows neither churn nor an interval"
    )
    (chosen,) = [row for (of, _), row in found.items() if of == "purchases" and row["is_chosen"]]
    assert chosen["reason"].startswith("its value is forecast best; purchases: ")


def ranked(found: Evidence, *, purchases: str, value: str) -> Evidence:
    """The evidence where these win the two hold-outs."""
    first, then = (
        replace(
            ranking, mean_ranks={winner: 1.0} | {m: 2.0 for m in ranking.mean_ranks if m != winner}
        )
        for ranking, winner in ((found.purchases, purchases), (found.value, value))
    )
    choice = choose_models(found.fitted, value=then)
    return replace(found, purchases=first, value=then, choice=choice)


def test_customers_are_valued_with_what_forecasts_value_best_whoever_forecasts_purchases_best(
    evidence: Evidence,
) -> None:
    best = value_method("Pareto/NBD", SpendBasis.REPEAT_DAYS)
    found = models_of(ranked(evidence, purchases="BG/NBD", value=best))

    chosen = [key for key, row in found.items() if row["is_chosen"]]
    winners = [key for key, row in found.items() if row["is_winner"]]
    assert chosen == [("purchases", "Pareto/NBD"), ("value", best)]
    assert winners == [("purchases", "BG/NBD"), ("value", best)]
    assert found["purchases", "BG/NBD"]["reason"] == (
        f"it wins the hold-out, but value is forecast better by {best}"
    )


def test_a_winner_that_has_not_converged_as_of_the_date_says_so(evidence: Evidence) -> None:
    best = value_method("BG/NBD", SpendBasis.ALL_DAYS)
    fits = evidence.fitted.purchases
    poor = {**fits, "BG/NBD": replace(fits["BG/NBD"], is_converged=False)}
    fitted = replace(evidence.fitted, purchases=poor)
    found = models_of(ranked(replace(evidence, fitted=fitted), purchases="BG/NBD", value=best))

    assert not found["value", best]["is_chosen"]
    for row in (found["value", best], found["purchases", "BG/NBD"]):
        assert row["reason"] == (
            "it wins the hold-out, but its fit to all customers has not converged"
        )
    (chosen,) = [row for (of, _), row in found.items() if of == "purchases" and row["is_chosen"]]
    assert chosen["reason"].startswith("the best model that can be had; purchases: ")


def test_where_a_baseline_forecasts_value_best_no_model_is_said_to(evidence: Evidence) -> None:
    best = value_method("MBG/NBD", SpendBasis.ALL_DAYS)
    others = [m for m in evidence.value.mean_ranks if m not in (HISTORIC_SPEND, best)]
    first = {HISTORIC_SPEND: 1.0, best: 2.0} | dict.fromkeys(others, 3.0)
    value = replace(evidence.value, mean_ranks=first)
    choice = choose_models(evidence.fitted, value=value)
    purchases = replace(evidence.purchases, mean_ranks={"BG/NBD": 1.0, "MBG/NBD": 2.0})

    found = models_of(replace(evidence, purchases=purchases, value=value, choice=choice))

    chosen = {key: row["reason"] for key, row in found.items() if row["is_chosen"]}
    assert list(chosen) == [("purchases", "MBG/NBD"), ("value", best)]
    for (forecast, _), reason in chosen.items():
        assert reason.startswith(f"the best model that can be had; {forecast}: ")


def test_where_no_fit_has_converged_the_reason_is_value(evidence: Evidence) -> None:
    fits = evidence.fitted.purchases
    poor = {title: replace(fit, is_converged=False) for title, fit in fits.items()}
    fitted = replace(evidence.fitted, purchases=poor)
    best = value_method("MBG/NBD", SpendBasis.ALL_DAYS)

    found = models_of(ranked(replace(evidence, fitted=fitted), purchases="BG/NBD", value=best))

    assert found["purchases", "BG/NBD"]["reason"] == (
        f"it wins the hold-out, but value is forecast better by {best}"
    )


def test_a_row_holds_the_parameters_of_both_models_and_the_last_ones_likelihood(
    evidence: Evidence,
) -> None:
    found = models_of(evidence)
    row = found["value", "Pareto/NBD priced by Gamma-Gamma of repeat days"]
    assert set(json.loads(row["parameters_json"])) == {"r", "alpha", "s", "beta", "p", "q", "v"}
    repeated = int((some_customers().histories.repeat_counts > 0.0).sum())
    assert (row["kind"], row["customer_count"]) == ("model", repeated)
    everybody = found["value", "Pareto/NBD priced by mean spend of everybody"]
    assert (everybody["kind"], everybody["log_likelihood"]) == ("baseline", None)
    assert found["purchases", "Pareto/NBD"]["customer_count"] == 400
    assert found["value", HISTORIC_SPEND]["parameters_json"] is None


def test_scores_and_groups_carry_the_fold(evidence: Evidence) -> None:
    scores = list(score_rows("life", evidence))
    groups = list(calibration_rows("life", evidence))
    assert len(scores) == 15
    assert {row[3:6] for row in scores} == {(date(2024, 1, 31), 30, 400)}
    methods = {row[1] for row in groups}
    assert methods == {"BG/NBD", "MBG/NBD", "Pareto/NBD", NAIVE_RATE, RECENCY_CUT_OFF}
    counted = [row[4] for row in groups if row[1] == NAIVE_RATE]
    assert sum(int(str(count)) for count in counted) == 400


def test_without_a_hold_out_the_first_model_is_chosen_and_nothing_ranked() -> None:
    found = models_of(Evidence.of(fit_models(Statistics.of(some_customers())), ()))
    assert {row["mean_rank"] for row in found.values()} == {None}
    chosen = [key for key, row in found.items() if row["is_chosen"]]
    assert chosen == [
        ("purchases", "MBG/NBD"), ("value", "MBG/NBD priced by Gamma-Gamma of all days")
    ]  # fmt: skip
    assert "no hold-out could be made" in found[chosen[0]]["reason"]
    assert found["purchases", NAIVE_RATE]["reason"] == NO_HOLD_OUT


def test_five_customers_leave_a_sentence_in_every_row() -> None:
    five = ObservedCustomers(histories(*[(1, 4, 9)] * 5), np.ones(5), np.ones(5))
    evidence = Evidence.of(fit_models(Statistics.of(five)), ())
    found = models_of(evidence)
    assert evidence.choice is None
    assert "5 customers are too few" in found["purchases", "BG/NBD"]["reason"]
    assert "BG/NBD could not be estimated: 5 customers are too few" in evidence.failure
    assert not any(row["is_chosen"] or row["is_winner"] for row in found.values())


def test_where_nobody_spends_anything_nothing_prices_the_purchases() -> None:
    evidence = Evidence.of(fit_models(Statistics.of(some_customers(spend=0.0))), ())
    reason = models_of(evidence)["value", "BG/NBD priced by mean spend of everybody"]["reason"]
    assert evidence.choice is None
    assert reason == "the mean spend of everybody is not above 0"
    assert "Gamma-Gamma could not be estimated: 0 customers" in evidence.failure
