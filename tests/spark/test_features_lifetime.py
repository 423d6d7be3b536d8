"""Histories, hold-outs, values and cohorts by Spark, against the arrays and plain loops."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features import lifetime_histories
from segspark.features.cohorts import customer_cohorts
from segspark.features.lifetime_histories import (
    collect_fold,
    feature_names,
    held_out_histories,
    history_statistics,
    purchase_histories,
    sampled,
)
from segspark.features.lifetime_values import Forecasts, customer_lifetime_values
from segspark.lifetime.churn_holdout import ServedChurn
from segspark.lifetime.churn_methods import OwnChurn, SeenCustomers
from segspark.lifetime.compression import merge_histories_in_cells
from segspark.lifetime.customer_values import CustomerValuer, ValueTerms
from segspark.lifetime.fitted import SpendBasis, Statistics, fit_models
from segspark.lifetime.observed import ObservedCustomers
from segspark.settings.features import CustomFeature, FeatureSettings
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.ledger_rows import Habits, drawn_sales, ledger_row
from tests.lifetimes import Shop, shop_of

START, DAYS = date(2024, 1, 10), 200
MIDDLE, END = START + timedelta(days=120), START + timedelta(days=DAYS)
ONLY_RETURNS, UNDONE = "only returns", "undone"
PLAIN = FeatureSettings()
TERMS = ValueTerms(365.0, 0.1, 1.0)

Sale = tuple[str, date, int]
"""Customer, day and cents."""


def sales() -> list[Sale]:
    """Purchase days of 120 customers who come in one after the other and mostly drop out."""
    return drawn_sales(120, Habits(150, 0.06, 0.01), seed=11, start=START, days=DAYS)


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> DataFrame:
    """The sales, a customer with nothing but a return, and one whose days are undone later."""
    rows = [
        ledger_row(who, day, day, order_count=1, gross_amount=Decimal(cents) / 100)
        for who, day, cents in sales()
    ]
    rows.append(ledger_row(ONLY_RETURNS, START, START, returned_amount=Decimal(5)))
    first, late = MIDDLE - timedelta(days=40), MIDDLE + timedelta(days=5)
    back = MIDDLE + timedelta(days=9)
    bought = {"order_count": 1, "gross_amount": Decimal(10)}
    undone = {"undone_order_count": 1, "returned_amount": Decimal(10)}
    rows += [ledger_row(UNDONE, day, day, **bought) for day in (first, MIDDLE, late)]
    rows += [ledger_row(UNDONE, day, back, **undone) for day in (MIDDLE, late)]
    return table(spark, CUSTOMER_DAYS.schema, *rows).repartition(3).cache()


@pytest.fixture(scope="module")
def shop() -> Shop:
    """The same sales without the two, as plain pandas sees them in the middle."""
    lines = pd.DataFrame(sales(), columns=["customer", "day", "cents"])
    lines["day"], lines["amount"] = pd.to_datetime(lines["day"]), lines["cents"] / 100
    return shop_of(lines, pd.Timestamp(MIDDLE), unit_days=1.0)


def plain_customers(shop: Shop) -> ObservedCustomers:
    return ObservedCustomers(shop.histories, shop.spends.mean_spends, shop.day_means)


@pytest.fixture(scope="module")
def middle(ledger: DataFrame) -> DataFrame:
    """Histories in the middle, computed once."""
    made = purchase_histories(ledger, settings=PLAIN, as_of=MIDDLE)
    return made.sparkSession.createDataFrame(made.collect(), made.schema).cache()


@pytest.fixture(scope="module")
def held_out(ledger: DataFrame) -> DataFrame:
    made = held_out_histories(ledger, settings=PLAIN, after=MIDDLE, until=END)
    return made.sparkSession.createDataFrame(made.collect(), made.schema).cache()


def by_customer(df: DataFrame) -> dict[str, dict[str, Any]]:
    return {row["customer_id"]: row.asDict() for row in df.collect()}


def test_histories_and_what_followed_are_those_of_plain_pandas(
    shop: Shop, held_out: DataFrame
) -> None:
    found = by_customer(held_out)
    found.pop(UNDONE)

    assert tuple(sorted(found)) == shop.customer_ids
    columns = {
        "repeat_count": shop.histories.repeat_counts,
        "last_repeat_days": shop.histories.last_repeat_times,
        "age_days": shop.histories.ages,
        "repeat_mean": shop.spends.mean_spends,
        "day_mean": shop.day_means,
        "later_count": shop.later_counts,
        "later_amount": shop.later_amounts,
    }
    for name, expected in columns.items():
        values = [found[who][name] for who in shop.customer_ids]
        np.testing.assert_allclose(values, expected, rtol=1e-9, err_msg=name)
    assert 0 < shop.later_counts.sum() < shop.histories.repeat_counts.sum()


def test_a_return_of_later_undoes_no_day_of_the_calibration_and_what_it_undoes_is_not_held_out(
    held_out: DataFrame,
) -> None:
    row = by_customer(held_out)[UNDONE]
    assert (row["repeat_count"], row["last_repeat_days"], row["age_days"]) == (1, 40, 40)
    assert (row["later_count"], row["later_amount"]) == (0, 0)


def test_a_customer_without_a_purchase_has_a_reason_and_is_not_held_out(
    middle: DataFrame, held_out: DataFrame
) -> None:
    row = by_customer(middle)[ONLY_RETURNS]
    assert row["exclusion_reason"] == "no purchase, only returns"
    assert row["repeat_count"] is row["repeat_mean"] is row["day_mean"] is None
    assert ONLY_RETURNS not in by_customer(held_out)


def test_the_observation_window_takes_nobody_from_the_models(ledger: DataFrame) -> None:
    week = FeatureSettings(observation_days=7)
    made = [
        purchase_histories(ledger, settings=settings, as_of=MIDDLE).agg(
            F.count("repeat_count"), F.sum("age_days")
        )
        for settings in (PLAIN, week)
    ]
    assert made[0].collect() == made[1].collect()


def test_histories_are_the_same_with_features_beside_them(
    ledger: DataFrame, middle: DataFrame
) -> None:
    made = purchase_histories(ledger, settings=PLAIN, as_of=MIDDLE, with_features=True)
    assert {"monetary_amount", "spend_30_days_amount", "purchase_gap_mean_days"} <= {*made.columns}
    assert by_customer(made.select(middle.columns)) == by_customer(middle)


def test_trees_see_the_windows_asked_for_and_custom_features_and_no_scores(
    ledger: DataFrame, middle: DataFrame
) -> None:
    custom = tuple(
        CustomFeature(name=name, unit="days", description="Any", expression=expression)
        for name, expression in (("age_days", "2 * tenure_days"), ("scored", "recency_score + 1"))
    )
    asked = FeatureSettings(windows_days=(14,), custom=custom)

    made = purchase_histories(ledger, settings=asked, as_of=MIDDLE, with_features=True)

    names = feature_names(made)
    assert {name for name in names if "_days_" in name} == {
        "order_14_days_count", "spend_14_days_amount", "purchase_14_days_count",
        "average_order_14_days_amount", "spend_14_days_trend_ratio",
    }  # fmt: skip
    assert not {"recency_score", "frequency_score", "monetary_score"} & {*names}
    found = by_customer(made)
    for who, row in by_customer(middle).items():
        assert found[who]["age_days"] == row["age_days"]
        doubled = None if row["age_days"] is None else 2.0 * row["age_days"]
        assert (found[who]["custom_age_days"], found[who]["custom_scored"]) == (doubled, None)
    later = held_out_histories(ledger, settings=asked, after=MIDDLE, until=END, with_features=True)
    assert feature_names(later) == names


def test_histories_alone_are_worked_out_without_windows_and_habits(
    ledger: DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    purchase_histories(ledger, settings=PLAIN, as_of=MIDDLE).explain()
    plan = capsys.readouterr().out.partition("MapInArrow")[2]
    assert "purchase_days" in plan
    assert "purchase_gap" not in plan
    assert "spend_30_days" not in plan


def without_undone(df: DataFrame) -> DataFrame:
    return df.filter(F.col("customer_id") != UNDONE)


def test_spark_counts_what_numpy_merges(shop: Shop, middle: DataFrame) -> None:
    found = history_statistics(without_undone(middle), customer_count=200)
    expected = Statistics.of(plain_customers(shop))
    assert_same_rows(found.histories, expected.histories)
    assert_same_rows(found.repeat_spends, expected.repeat_spends)
    assert_same_rows(found.day_spends, expected.day_spends)
    assert found.mean_spend == pytest.approx(expected.mean_spend, rel=1e-9)


def test_above_the_limit_spark_makes_numpys_cells(
    shop: Shop, middle: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime_histories, "MOST_TRIPLES", 20)
    found = history_statistics(without_undone(middle), customer_count=200)
    expected = merge_histories_in_cells(shop.histories)
    assert len(expected) < len(shop.histories)
    assert_same_rows(found.histories, expected)


def test_of_nobody_there_is_nothing_to_fit_and_a_sentence_for_each_model(middle: DataFrame) -> None:
    nobody = middle.filter(F.col("exclusion_reason").isNotNull())
    found = history_statistics(nobody, customer_count=0)
    assert (len(found.histories), len(found.day_spends), found.mean_spend) == (0, 0, 0.0)
    assert len(fit_models(found).failures) == 5


def assert_same_rows(found: Any, expected: Any) -> None:  # noqa: ANN401 - histories or spends
    """Whatever their order: a fit does not mind."""
    columns = [
        np.round(np.column_stack(list(rows.__dict__.values())[:4]), 6) for rows in (found, expected)
    ]
    ordered = [rows[np.lexsort(rows.T[::-1])] for rows in columns]
    np.testing.assert_allclose(ordered[0], ordered[1], rtol=1e-6)


def fold_rows(df: DataFrame) -> list[tuple[float, ...]]:
    fold = collect_fold(df, days=80, name="middle")
    columns = (fold.customers.histories.ages, fold.customers.day_means, fold.later_amounts)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_fold_is_the_same_whatever_the_partitions(shop: Shop, held_out: DataFrame) -> None:
    everybody = fold_rows(held_out)
    assert everybody == fold_rows(held_out.repartition(5, "customer_id"))
    assert len(everybody) == len(shop.customer_ids) + 1


def test_a_sample_of_the_ledger_holds_the_same_customers_whatever_the_partitions(
    ledger: DataFrame, held_out: DataFrame
) -> None:
    def some(rows: DataFrame) -> list[tuple[float, ...]]:
        seen = sampled(rows, customer_count=200, most=100)
        return fold_rows(held_out_histories(seen, settings=PLAIN, after=MIDDLE, until=END))

    everybody = fold_rows(held_out)
    found = some(ledger)
    assert found == some(ledger.repartition(5, "purchase_date"))
    assert 0.3 * len(everybody) < len(found) < 0.7 * len(everybody)
    assert set(found) < set(everybody)
    assert sampled(ledger, customer_count=100, most=100) is ledger


def values_of(df: DataFrame, forecasts: Forecasts | None) -> dict[str, dict[str, Any]]:
    made = customer_lifetime_values(
        df, forecasts=forecasts, terms=TERMS, failure="too few customers", lifetime_id="lifetime-1"
    )
    return by_customer(made)


def test_every_customer_is_valued_as_on_arrays_or_has_a_reason(
    shop: Shop, middle: DataFrame
) -> None:
    customers = plain_customers(shop)
    fitted = fit_models(Statistics.of(customers))
    valuer = CustomerValuer.of(fitted, title="BG/NBD", basis=SpendBasis.ALL_DAYS, terms=TERMS)

    own = OwnChurn(fitted.purchases["Pareto/NBD"].model, 90.0)

    found = values_of(
        without_undone(middle), (valuer, ServedChurn("Pareto/NBD", own, is_tested=True))
    )

    expected = valuer.value(customers)
    churn = own.probabilities(SeenCustomers(customers.histories, np.empty((len(customers), 0))))
    columns = {
        "expected_purchase_count": expected.purchases.expected,
        "expected_purchase_lower_count": expected.purchases.lower,
        "expected_purchase_upper_count": expected.purchases.upper,
        "probability_alive_ratio": expected.alive.expected,
        "probability_alive_lower_ratio": expected.alive.lower,
        "probability_alive_upper_ratio": expected.alive.upper,
        "churn_probability_ratio": churn,
        "expected_purchase_amount": expected.spends.expected,
        "expected_purchase_lower_amount": expected.spends.lower,
        "expected_purchase_upper_amount": expected.spends.upper,
        "lifetime_value_amount": expected.values.expected,
        "lifetime_value_lower_amount": expected.values.lower,
        "lifetime_value_upper_amount": expected.values.upper,
        "historic_spend_amount": expected.historic_spends,
    }
    excluded = found.pop(ONLY_RETURNS)
    assert excluded.pop("reason") == "no purchase, only returns"
    assert {value for name, value in excluded.items() if name in columns} == {None}
    assert excluded["churn_method"] is None
    assert {row["churn_method"] for row in found.values()} == {"Pareto/NBD"}
    assert tuple(sorted(found)) == shop.customer_ids
    for name, each in columns.items():
        values = [found[who][name] for who in shop.customer_ids]
        np.testing.assert_allclose(values, each, rtol=1e-9, err_msg=name)
    assert {(row["reason"], row["lifetime_id"]) for row in found.values()} == {(None, "lifetime-1")}


def test_without_a_model_everybody_has_the_reason_and_the_baseline(
    shop: Shop, middle: DataFrame
) -> None:
    found = values_of(without_undone(middle), None)
    assert found.pop(ONLY_RETURNS)["reason"] == "no purchase, only returns"
    assert {row["reason"] for row in found.values()} == {"too few customers"}
    assert {row["lifetime_value_amount"] for row in found.values()} == {None}
    assert {row["churn_method"] for row in found.values()} == {None}
    assert all(found[who]["historic_spend_amount"] > 0 for who in shop.customer_ids)


def test_cohorts_are_those_of_a_plain_loop(ledger: DataFrame) -> None:
    known = [sale for sale in sales() if sale[1] <= MIDDLE]
    known += [(UNDONE, day, 1000) for day in (MIDDLE - timedelta(days=40), MIDDLE)]
    first: dict[str, date] = {}
    for who, day, _ in sorted(known, key=lambda sale: sale[1]):
        first.setdefault(who, day.replace(day=1))
    sizes: dict[date, int] = defaultdict(int)
    for month in first.values():
        sizes[month] += 1
    active: dict[tuple[date, int], set[str]] = defaultdict(set)
    revenue: dict[tuple[date, int], int] = defaultdict(int)
    for who, day, cents in known:
        key = (first[who], (day.year - first[who].year) * 12 + day.month - first[who].month)
        active[key].add(who)
        revenue[key] += cents
    expected = {
        (month, age): (size, len(active[month, age]), Decimal(revenue[month, age]) / 100)
        for month, size in sizes.items()
        for age in range(MIDDLE.month - month.month + 1)
    }

    made = customer_cohorts(ledger, settings=PLAIN, as_of=MIDDLE, snapshot_id="s").collect()

    found = {
        (row["acquisition_month_date"], row["age_months"]): (
            row["customer_count"], row["active_customer_count"], row["revenue_amount"],
        )
        for row in made
    }  # fmt: skip
    assert found == expected
    for row in made:
        share = row["active_customer_count"] / row["customer_count"]
        assert row["retention_ratio"] == pytest.approx(share)
        month = row["acquisition_month_date"].month + row["age_months"]
        assert row["is_whole_month"] == (month < MIDDLE.month)
