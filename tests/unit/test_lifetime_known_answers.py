"""Published and independent figures: tests/known_answers/btyd.json, to the digits they have."""

from typing import Any

import numpy as np
import pytest

from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.fitting import fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma, correlation_of_frequency_and_spend
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.parameters import parameter_names
from segspark.lifetime.pareto_nbd import ParetoNbd
from segspark.lifetime.valuation import Periods, lifetime_values
from tests.lifetimes import BG, Shop, cdnow, histories, known_answers, online_retail, spends

ANSWERS = known_answers()
SAMPLE = ANSWERS["cdnow_sample"]
RETAIL = ANSWERS["online_retail"]
SIX_DECIMALS, FIVE_DECIMALS = 5e-7, 5e-6
"""Half a unit of the last digit that is printed."""
COMPUTED = 1e-6
"""Relative: of figures that are computed independently and given with all their digits."""


def points(model: str) -> list[dict[str, Any]]:
    return [check for check in ANSWERS["point_checks"] if check["model"] == model]


def parameters(answer: dict[str, Any], kind: type[Any]) -> list[float]:
    return [answer[name] for name in parameter_names(kind)]


def values(model: BgNbd | MbgNbd | ParetoNbd | GammaGamma) -> list[float]:
    return [getattr(model, name) for name in parameter_names(model)]


def assert_is_a_customer(shop: Shop, answer: dict[str, Any]) -> None:
    columns = [
        (shop.histories.repeat_counts, answer["x"]),
        (shop.histories.last_repeat_times, answer["t_x"]),
        (shop.histories.ages, answer["T"]),
        (shop.later_counts, answer["x_star"]),
    ]
    if "zbar" in answer:
        columns.append((shop.spends.mean_spends, answer["zbar"]))
    assert np.all([np.isclose(column, value) for column, value in columns], axis=0).any()


@pytest.mark.parametrize(
    ("kind", "name", "tolerance"),
    [(BgNbd, "bg_nbd", 1e-3), (MbgNbd, "mbg_nbd", 1e-3), (ParetoNbd, "pareto_nbd", 5e-3)],
)
def test_cdnow_is_fitted_as_published(
    kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd], name: str, tolerance: float
) -> None:
    answer = SAMPLE[name]

    fit = fit_purchase_model(kind, cdnow().histories)

    assert fit.is_converged
    assert fit.warnings == ()
    assert fit.customer_count == 2357
    assert values(fit.model) == pytest.approx(parameters(answer, kind), rel=tolerance)
    if "log_likelihood" in answer:
        assert fit.log_likelihood == pytest.approx(answer["log_likelihood"], abs=1e-3)


def test_cdnows_spend_is_fitted_as_published() -> None:
    answer = SAMPLE["gamma_gamma"]

    fit = fit_gamma_gamma(cdnow().spends)

    assert fit.is_converged
    assert fit.customer_count == answer["customers"]
    assert values(fit.model) == pytest.approx(parameters(answer, GammaGamma), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(answer["log_likelihood"], abs=1e-3)


@pytest.mark.parametrize(("kind", "column"), [(BgNbd, "bgnbd"), (ParetoNbd, "pnbd")])
def test_cdnows_hold_out_is_forecast_as_published(
    kind: type[BgNbd] | type[ParetoNbd], column: str
) -> None:
    shop, totals = cdnow(), SAMPLE["holdout_totals"]
    x = shop.histories.repeat_counts

    expected = fit_purchase_model(kind, shop.histories).model.expected_purchases(
        shop.histories, 39.0
    )

    assert x.sum() == totals["calibration_repeat_transactions"]
    assert shop.later_counts.sum() == totals["actual"]
    assert expected.sum() == pytest.approx(totals[column], rel=1e-3)
    for name, row in SAMPLE["holdout_by_calibration_frequency"].items():
        group = x >= 7 if name == "7" else x == int(name)
        assert group.sum() == row["n"]
        assert shop.later_counts[group].sum() == row["total_actual"]
        assert shop.later_counts[group].mean() == pytest.approx(row["actual"], abs=1e-9)
        assert expected[group].mean() == pytest.approx(row[column], abs=1e-3)


@pytest.mark.parametrize("place", ["first", "second", "third", "1516"])
def test_single_customers_of_cdnow_are_valued_as_published(place: str) -> None:
    shop, answer = cdnow(), SAMPLE["customers"][place]
    one = histories((answer["x"], answer["t_x"], answer["T"]))
    assert_is_a_customer(shop, answer)

    for kind, suffix in ((BgNbd, "bgnbd"), (ParetoNbd, "pnbd")):
        model = fit_purchase_model(kind, shop.histories).model
        assert model.probabilities_alive(one)[0] == pytest.approx(
            answer[f"palive_{suffix}"], rel=COMPUTED
        )
        for weeks in (39, 52):
            if f"e{weeks}_{suffix}" in answer:
                expected = model.expected_purchases(one, float(weeks))[0]
                assert expected == pytest.approx(answer[f"e{weeks}_{suffix}"], rel=COMPUTED)
    if "zbar" in answer:
        spend = fit_gamma_gamma(shop.spends).model
        expected = spend.expected_spends(spends((answer["x"], answer["zbar"])))[0]
        assert expected == pytest.approx(answer["exp_avg_profit_gg"], rel=COMPUTED)


def test_the_point_checks_of_bg_nbd() -> None:
    for check in points("bg_nbd"):
        model = BgNbd(*check["parameters"])
        for count in check.get("pmf", []):
            found = model.purchase_count_probabilities(np.array([count["n"]]), count["t"])
            assert found[0] == pytest.approx(count["p"], rel=1e-5)
        if "p_alive" in check:
            one = histories((check["x"], check["t_x"], check["T"]))
            assert model.probabilities_alive(one)[0] == pytest.approx(
                check["p_alive"], abs=SIX_DECIMALS
            )
            expected = model.expected_purchases(one, 39.0)[0]
            assert expected == pytest.approx(check["expected_purchases_39"], abs=SIX_DECIMALS)


def test_the_point_check_of_mbg_nbd() -> None:
    (check,) = points("mbg_nbd")
    one = histories((check["x"], check["t_x"], check["T"]))

    found = MbgNbd(*check["parameters"]).probabilities_alive(one)[0]

    assert found == pytest.approx(check["p_alive"], abs=SIX_DECIMALS)


def test_the_point_check_of_pareto_nbd() -> None:
    (check,) = points("pareto_nbd")
    model = ParetoNbd(*check["parameters"])
    one = histories((check["x"], check["t_x"], check["T"]))

    assert model.probabilities_alive(one)[0] == pytest.approx(check["p_alive"], abs=FIVE_DECIMALS)
    assert model.expected_purchases(one, 52.0)[0] == pytest.approx(
        check["expected_purchases_52"], abs=5e-5
    )
    assert model.discounted_residual_purchases(one, 0.0027)[0] == pytest.approx(
        check["dert_delta_0.0027"], abs=5e-5
    )


def test_the_point_checks_of_spend_and_lifetime_value() -> None:
    (check,) = points("gamma_gamma")
    spend = GammaGamma(*check["parameters"])
    found = spend.expected_spends(spends((check["x"], check["monetary_value"])))
    assert found[0] == pytest.approx(check["expected_average"], abs=FIVE_DECIMALS)

    (check,) = points("bg_nbd + gamma_gamma")
    months_of_weeks = Periods(365.25 / 12 / 7, 12, 0.01)
    one = histories((check["x"], check["t_x"], check["T"]))
    value = lifetime_values(BG, one, found, months_of_weeks)
    assert value[0] == pytest.approx(check["clv_12_months"], abs=FIVE_DECIMALS)


def test_the_formulas_stay_stable_where_they_are_known_to_break() -> None:
    new, at_pole, silent = ANSWERS["numerical_stability"]

    model = BgNbd(*new["parameters"])
    expected = model.expected_purchases(histories((new["x"], new["t_x"], new["T"])), new["t"])
    # The formula and quadrature give 0.56458862: the last digit printed is wrong by one.
    assert expected[0] == pytest.approx(new["expected_purchases"], abs=1e-7)

    model = BgNbd(*at_pole["parameters"])
    counts, ages = np.array([float(at_pole["x"])]), np.array([float(at_pole["T"])])
    while_alive = model.expected_purchases_while_alive(counts, ages, at_pole["t"])
    assert while_alive[0] == pytest.approx(at_pole["expected_purchases"], abs=SIX_DECIMALS)

    one = histories((silent["x"], silent["t_x"], silent["T"]))
    assert BG.probabilities_alive(one)[0] == pytest.approx(silent["p_alive"], abs=1e-100)


def test_online_retail_is_fitted_as_computed_independently() -> None:
    shop, answer = online_retail(), RETAIL["bg_nbd"]

    fit = fit_purchase_model(BgNbd, shop.histories)

    assert fit.is_converged
    assert fit.customer_count == RETAIL["customers"]
    assert (shop.histories.repeat_counts > 0).sum() == RETAIL["repeat_customers"]
    assert values(fit.model) == pytest.approx(parameters(answer, BgNbd), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(answer["LL"], abs=1e-2)
    assert any("a and b no better" in warning for warning in fit.warnings)


def test_online_retails_spend_is_fitted_as_computed_independently() -> None:
    shop, answer = online_retail(), RETAIL["gamma_gamma"]

    fit = fit_gamma_gamma(shop.spends)

    assert fit.customer_count == answer["n"]
    assert values(fit.model) == pytest.approx(parameters(answer, GammaGamma), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(answer["LL"], abs=1e-2)
    correlation = correlation_of_frequency_and_spend(shop.spends)
    assert correlation == pytest.approx(answer["corr_freq_monetary"], abs=1e-6)


def test_online_retails_totals_are_as_computed_independently() -> None:
    shop, answer = online_retail(), RETAIL["totals"]
    model = fit_purchase_model(BgNbd, shop.histories).model
    spend = fit_gamma_gamma(shop.spends).model.expected_spends(shop.spends)

    for days in (30, 90, 365):
        expected = model.expected_purchases(shop.histories, float(days)).sum()
        assert expected == pytest.approx(answer[f"exp_purchases_{days}d"], rel=COMPUTED)
    twelve = lifetime_values(model, shop.histories, spend, Periods(30.0, 12, 0.01)).sum()
    assert twelve == pytest.approx(answer["clv_12x30d_disc1pct"], rel=COMPUTED)
    year = lifetime_values(model, shop.histories, spend, Periods(365.0, 1, 0.0)).sum()
    assert year == pytest.approx(answer["clv_365d_undiscounted"], rel=COMPUTED)
