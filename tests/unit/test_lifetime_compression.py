import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.compression import (
    merge_equal_histories,
    merge_histories_in_cells,
    merge_spends_in_cells,
)
from segspark.lifetime.fitting import fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.parameters import log_parameters
from segspark.lifetime.pareto_nbd import ParetoNbd
from tests.lifetimes import (
    KINDS,
    cdnow,
    histories,
    in_days,
    random_histories,
    simulated,
    simulated_spends,
    spends,
)

THREE_IN_A_THOUSAND = 0.003
Kind = type[BgNbd] | type[MbgNbd] | type[ParetoNbd]


def test_equal_rows_become_one_with_their_customers() -> None:
    seen = histories((2, 3, 9), (0, 0, 9), (2, 3, 9), (2, 3, 8), (2, 3, 9))

    found = merge_equal_histories(seen)

    assert found.repeat_counts.tolist() == [0, 2, 2]
    assert found.last_repeat_times.tolist() == [0, 3, 3]
    assert found.ages.tolist() == [9, 8, 9]
    assert found.customer_counts.tolist() == [1, 1, 3]


def test_a_cell_has_the_mean_times_of_its_customers() -> None:
    seen = PurchaseHistories(
        np.array([2.0, 2.0, 2.0, 1.0, 2.0]),
        np.array([7.0, 13.0, 6.0, 7.0, 7.0]),
        np.array([21.0, 27.0, 21.0, 21.0, 28.0]),
        np.array([1.0, 2.0, 5.0, 1.0, 1.0]),
    )

    found = merge_histories_in_cells(seen)

    columns = (found.repeat_counts, found.last_repeat_times, found.ages, found.customer_counts)
    assert list(zip(*columns, strict=True)) == [
        (1, 7, 21, 1),
        (2, 6, 21, 5),
        (2, (7 + 2 * 13) / 3, (21 + 2 * 27) / 3, 3),
        (2, 7, 28, 1),
    ]


@pytest.mark.parametrize("width", [0.5, 7.0, 1000.0])
def test_cells_keep_customers_purchases_and_times_in_total(width: float) -> None:
    seen = random_histories(500)

    found = merge_histories_in_cells(seen, cell_width=width)

    assert len(found) < len(seen)
    for name in ("repeat_counts", "last_repeat_times", "ages"):
        expected = getattr(seen, name) @ seen.customer_counts
        assert getattr(found, name) @ found.customer_counts == pytest.approx(expected, rel=1e-12)
    assert found.customer_counts.sum() == pytest.approx(seen.customer_counts.sum(), rel=1e-12)


def changes(kind: Kind, histories: PurchaseHistories, cells: PurchaseHistories) -> Floats:
    """Relative changes of the parameters from the exact fit to that of the cells."""
    exact, found = fit_purchase_model(kind, histories), fit_purchase_model(kind, cells)
    return np.expm1(log_parameters(found.model) - log_parameters(exact.model))


@pytest.mark.parametrize("kind", [BgNbd, MbgNbd])
def test_cdnow_in_weeks_of_days_is_fitted_as_in_days(kind: Kind) -> None:
    days = cdnow().histories.in_time_unit(7.0)

    found = changes(kind, days, merge_histories_in_cells(days))

    assert np.abs(found).max() < THREE_IN_A_THOUSAND


def test_times_floored_to_the_week_would_not_do() -> None:
    days = cdnow().histories.in_time_unit(7.0)
    last = np.floor(days.last_repeat_times / 7.0) * 7.0
    last = np.where(days.repeat_counts > 0.0, np.maximum(last, 0.5), 0.0)
    ages = np.floor(days.ages / 7.0) * 7.0
    floored = PurchaseHistories(days.repeat_counts, last, ages, days.customer_counts)

    _, alpha, _, _ = changes(BgNbd, days, floored)

    assert alpha < -0.1


@pytest.mark.parametrize("kind", KINDS)
def test_cells_cost_a_small_part_of_the_deviation_and_hardly_move_the_forecast(kind: Kind) -> None:
    days = cdnow().histories.in_time_unit(7.0)

    exact = fit_purchase_model(kind, days)
    cells = fit_purchase_model(kind, merge_histories_in_cells(days))

    errors = log_parameters(cells.model) - log_parameters(exact.model)
    assert np.abs(errors / np.sqrt(np.diagonal(exact.covariance))).max() < 0.03
    total = exact.model.expected_purchases(days, 273.0).sum()
    assert cells.model.expected_purchases(days, 273.0).sum() == pytest.approx(
        total, rel=THREE_IN_A_THOUSAND
    )


def test_simulated_customers_in_weeks_of_days_are_fitted_as_in_days() -> None:
    ages = np.random.default_rng(1).integers(30, 730, 30_000).astype(np.float64)
    seen = in_days(simulated(BgNbd(0.8, 30.0, 0.7, 2.0), ages, seed=2))

    cells = merge_histories_in_cells(seen)

    assert len(cells) < 0.7 * len(merge_equal_histories(seen))
    assert np.abs(changes(BgNbd, seen, cells)).max() < THREE_IN_A_THOUSAND


def test_spends_in_cells_are_fitted_as_one_by_one() -> None:
    counts = np.random.default_rng(1).geometric(0.4, 40_000).astype(np.float64)
    seen = simulated_spends(GammaGamma(6.0, 4.0, 15.0), counts, seed=2)

    cells = merge_spends_in_cells(seen)

    assert len(cells) < 0.4 * len(seen)
    exact, found = fit_gamma_gamma(seen), fit_gamma_gamma(cells)
    assert found.customer_count == exact.customer_count
    errors = log_parameters(found.model) - log_parameters(exact.model)
    assert np.abs(errors).max() < THREE_IN_A_THOUSAND


def test_a_cell_of_spend_has_the_mean_of_its_customers() -> None:
    seen = spends((1, 10.0), (1, 10.009), (1, 10.05), (2, 10.0), (0, 0.0), (3, -1.0))

    found = merge_spends_in_cells(seen)

    assert found.repeat_counts.tolist() == [1, 1, 2]
    assert found.mean_spends.tolist() == pytest.approx([10.0045, 10.05, 10.0])
    assert found.customer_counts.tolist() == [2, 1, 1]


def test_no_rows_stay_no_rows() -> None:
    assert len(merge_equal_histories(histories())) == 0
    assert len(merge_histories_in_cells(histories())) == 0
    assert len(merge_spends_in_cells(spends())) == 0


@pytest.mark.parametrize("width", [0.0, -7.0, np.inf, np.nan])
def test_cells_have_a_width(width: float) -> None:
    with pytest.raises(LifetimeError, match="cells need a positive width"):
        merge_histories_in_cells(histories((0, 0, 5)), cell_width=width)
    with pytest.raises(LifetimeError, match="cells need a positive width"):
        merge_spends_in_cells(spends((1, 5.0)), cell_width=width)
