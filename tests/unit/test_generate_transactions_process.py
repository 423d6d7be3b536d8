"""The generated purchases follow the process whose parameters stand in `truth.json`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import hyp2f1

from scripts.synthetic.customers import draw_customers
from scripts.synthetic.generating import generate
from scripts.synthetic.orders import draw_orders
from scripts.synthetic.plan import Plan, Stream, make_plan, numbers_of, random_of
from scripts.synthetic.request import Request
from tests.synthetic_shop import SMALL, opened, truth_of

CELLS = 40
STANDARD_ERRORS = 3.5
"""A sound generator would fail one of four such comparisons once in five hundred seeds."""
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "shop"
    generate(SMALL, folder)
    return folder


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(Request(lines=944_000, customers=CELLS * 1_000, seed=5))


@pytest.fixture(scope="module")
def histories(plan: Plan) -> dict[str, Any]:
    """Of each customer: repeat orders, days of the shop's clock until the end, whether alive."""
    repeats, left, alive = [], [], []
    for cell in range(CELLS):
        random = random_of(plan, cell, Stream.CUSTOMERS)
        customers = draw_customers(random, plan, numbers_of(plan, cell))
        orders = draw_orders(random_of(plan, cell, Stream.ORDERS), plan, customers, cell=cell)
        known = orders.buyers[~orders.is_guest]
        repeats.append(np.bincount(known, minlength=customers.count) - 1)
        left.append(plan.clock.starts[-1] - customers.joined)
        alive.append(customers.dropped_out > plan.clock.starts[-1])
    return {
        "repeats": np.concatenate(repeats),
        "left": np.concatenate(left),
        "alive": np.concatenate(alive),
    }


def parameters(plan: Plan) -> tuple[float, float, float, float]:
    process = plan.process
    return (
        process.rate_shape,
        plan.rate_scale_days,
        process.dropout_shape,
        process.dropout_scale_days,
    )


def chance_of_no_repeat(plan: Plan, left: Floats) -> Floats:
    """P(X(T) = 0) of Pareto/NBD, alpha < beta: Fader and Hardie 2005, the likelihood at x = 0."""
    r, alpha, s, beta = parameters(plan)
    assert alpha < beta

    def part(time: Floats) -> Floats:
        place = (beta - alpha) / (beta + time)
        return np.asarray(hyp2f1(r + s, r, r + s + 1, place) / (beta + time) ** (r + s))

    gone = s / (r + s) * (part(np.zeros(1)) - part(left))
    still = 1 / ((alpha + left) ** r * (beta + left) ** s)
    return np.asarray(alpha**r * beta**s * (still + gone))


def is_near(found: NDArray[Any], expected: Floats) -> bool:
    """Whether a mean is within some standard errors of what each customer's theory says."""
    differences = found - expected
    error = differences.std() / np.sqrt(len(differences))
    return bool(abs(differences.mean()) < STANDARD_ERRORS * error)


def test_repeat_orders_are_as_many_as_the_theory_says(
    plan: Plan, histories: dict[str, Any]
) -> None:
    r, alpha, s, beta = parameters(plan)
    left = histories["left"]
    expected = r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + left)) ** (s - 1))
    assert is_near(histories["repeats"], expected)
    # The day on which customers join varies too, so here the error is a little larger.
    mean = histories["repeats"].mean()
    assert mean == pytest.approx(plan.repeat_orders, rel=0.03)


def test_as_many_never_repeat_as_the_theory_says(plan: Plan, histories: dict[str, Any]) -> None:
    expected = chance_of_no_repeat(plan, histories["left"])
    assert is_near(histories["repeats"] == 0, expected)
    assert expected.mean() == pytest.approx(0.38, abs=0.02)


def test_as_many_are_alive_at_the_end_as_the_theory_says(
    plan: Plan, histories: dict[str, Any]
) -> None:
    _, _, s, beta = parameters(plan)
    assert is_near(histories["alive"], (beta / (beta + histories["left"])) ** s)


def test_lines_are_as_many_as_asked_for(shop: Path) -> None:
    clean = truth_of(shop)["history"]["clean"]
    assert clean["all"]["lines"] == pytest.approx(SMALL.lines, rel=0.05)


def test_repeat_orders_in_the_truth_are_those_in_the_files(shop: Path) -> None:
    history = truth_of(shop)["history"]
    found = opened(shop).sql(
        "SELECT least(orders - 1, 20), count(*), sum(days - 1)::BIGINT FROM "
        "(SELECT count(DISTINCT order_id) AS orders, "
        "count(DISTINCT transaction_at::DATE) AS days FROM kept_lines "
        "WHERE order_id LIKE 'O%' AND customer_id IS NOT NULL GROUP BY customer_id) GROUP BY 1"
    )
    customers = {str(repeats): count for repeats, count, _ in found.fetchall()}
    expected = history["customers_by_repeat_orders"]
    assert customers == {repeats: count for repeats, count in expected.items() if count}
    assert sum(days for *_, days in found.fetchall()) == history["orders"]["repeat_days"]


def test_what_comes_back_was_bought_before_and_not_returned_yet(shop: Path) -> None:
    clean = truth_of(shop)["history"]["clean"]
    left_over = opened(shop).sql(
        "SELECT sum(quantity) OVER (PARTITION BY customer_id, product_id, unit_price "
        "ORDER BY transaction_at, quantity DESC ROWS UNBOUNDED PRECEDING) AS units "
        "FROM kept_lines WHERE customer_id IS NOT NULL AND product_id LIKE 'P0%'"
    )
    unmatched = left_over.filter("units < 0").aggregate("count(*)").fetchone()
    assert unmatched == (clean["return"]["unmatched_lines"],)
    assert 0 < clean["return"]["unmatched_lines"] < clean["return"]["lines"] / 10
    fees = opened(shop).sql(
        "SELECT count(*) FROM kept_lines WHERE kind = 'cancellation' "
        "AND customer_id IS NOT NULL AND NOT starts_with(product_id, 'P0')"
    )
    assert fees.fetchone() == (clean["cancellation"]["unmatched_lines"],)


def test_seasons_and_weekdays_show_in_the_lengths_of_days(plan: Plan) -> None:
    assert plan.clock.weights.mean() == pytest.approx(1, abs=1e-6)
    days = np.datetime64("2023-01-01") + np.arange(730)
    by_day = dict(zip(days.astype(str), plan.clock.weights, strict=True))
    assert by_day["2023-12-25"] < 0.2
    assert by_day["2023-12-16"] > 1.5
    assert by_day["2024-05-18"] > 1.5 * by_day["2024-05-19"]


def test_orders_follow_the_lengths_of_days_and_hours(shop: Path) -> None:
    sold = opened(shop).sql(
        "SELECT date_diff('day', DATE '2023-01-01', transaction_at::DATE), "
        "count(DISTINCT order_id), count(DISTINCT order_id) FILTER (hour(transaction_at) < 6) "
        "FROM kept_lines WHERE order_id LIKE 'O%' GROUP BY 1"
    )
    counts = np.zeros(SMALL.days)
    for day, orders, _ in sold.fetchall():
        counts[day] = orders
    weights = truth_of(shop)["day_weights"]
    # From the hundredth day on there are customers enough; some thirty orders a day are noisy.
    assert np.corrcoef(counts[100:], weights[100:])[0, 1] > 0.6
    # A fiftieth of the hours' weight lies before six.
    assert sum(night for *_, night in sold.fetchall()) < 0.03 * counts.sum()


def test_whales_buy_twenty_to_a_hundred_times_as_much(shop: Path) -> None:
    lake = opened(shop)
    factors = lake.sql("SELECT customer_id, whale_factor FROM true_customers").fetchall()
    whales = {customer: factor for customer, factor in factors if factor > 1}
    assert len(whales) == truth_of(shop)["history"]["customers"]["whales"] > 0
    assert all(20 <= factor <= 100 for factor in whales.values())
    bought = lake.sql(
        "SELECT customer_id, avg(quantity) FROM kept_lines "
        "WHERE kind = 'sale' AND customer_id IS NOT NULL GROUP BY 1"
    ).fetchall()
    usual = np.mean([units for customer, units in bought if customer not in whales])
    boxes = np.mean([units for customer, units in bought if customer in whales])
    assert 15 * usual < boxes < 100 * usual


def test_the_increment_is_the_next_day_of_customers_alive_and_new_ones(shop: Path) -> None:
    lake, truth = opened(shop), truth_of(shop)["increment"]
    assert truth["clean"]["all"]["lines"] == SMALL.increment_lines
    assert lake.view("next_lines").count("*").fetchone() == (int(SMALL.increment_lines * 1.03),)
    days = lake.sql("SELECT DISTINCT transaction_at::DATE::VARCHAR FROM kept_next_lines")
    assert days.fetchall() == [("2024-05-15",)]
    known = lake.sql("SELECT count(*) FROM next_lines SEMI JOIN lines USING (order_id)")
    assert known.fetchone() == (0,)
    bought = lake.sql(
        "SELECT count(*) FILTER (is_alive_at_end), count(*) FILTER (is_alive_at_end IS NULL), "
        "count(*) FROM kept_next_lines LEFT JOIN true_customers USING (customer_id) "
        "WHERE order_id LIKE 'O%'"
    ).fetchone()
    assert bought is not None
    alive, new, everybody = bought
    assert new == round(0.05 * SMALL.increment_lines)
    assert alive + new == everybody


def test_returns_of_the_increment_undo_purchases_of_the_history(shop: Path) -> None:
    clean = truth_of(shop)["increment"]["clean"]["return"]
    matched = opened(shop).sql(
        "SELECT count(*) FROM kept_next_lines SEMI JOIN (FROM kept_lines WHERE kind = 'sale') "
        "USING (customer_id, product_id, unit_price) WHERE kind = 'return'"
    )
    assert matched.fetchone() == (clean["lines"] - clean["unmatched_lines"],)
    assert clean["lines"] - clean["unmatched_lines"] > 10
