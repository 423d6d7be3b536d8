"""Past days from a ledger: who churned, what was known, and what came too late to be known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import LifetimeError
from segspark.features import churn
from segspark.features.lifetime_histories import (
    feature_names,
    observed_customers,
    purchase_histories,
)
from segspark.features.lifetime_values import customer_lifetime_values
from segspark.lifetime.choice import Choice
from segspark.lifetime.churn_holdout import ServedChurn
from segspark.lifetime.churn_learning import BOOSTED_TREES, ChurnDate, ChurnTerms
from segspark.lifetime.customer_values import CustomerValuer, ValueTerms
from segspark.lifetime.fitted import FittedModels, SpendBasis, Statistics, fit_models
from segspark.lifetime.observed import Fold
from segspark.pipeline import lifetime_churn, lifetime_folds
from segspark.pipeline.lifetime_churn import (
    ChurnEvidence,
    churn_dates,
    churn_evidence,
    churn_model_rows,
    churn_reliability_rows,
    churn_score_rows,
)
from segspark.pipeline.lifetime_folds import Population, hold_outs
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.features import FeatureSettings
from segspark.settings.root import Settings
from segspark.tables.lake import Lake
from segspark.tables.lifetime import CHURN_RELIABILITY, CHURN_SCORES, LIFETIME_MODELS
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.ledger_rows import Habits, drawn_sales, ledger_row

START, DAYS, CHURN = date(2024, 1, 1), 210, 50
AS_OF = START + timedelta(days=DAYS)
PAST = tuple(AS_OF - timedelta(days=CHURN * number) for number in (1, 2, 3))
Row = tuple[object, ...]


def sale(who: str, bought: date, *, cents: int = 1_000) -> Row:
    return ledger_row(who, bought, bought, order_count=1, gross_amount=Decimal(cents) / 100)


def undone(who: str, bought: date, known: date) -> Row:
    return ledger_row(who, bought, known, undone_order_count=1, returned_amount=Decimal(10))


def sales() -> list[Row]:
    """Purchase days of 150 customers, about half of whom drop out before the end."""
    drawn = drawn_sales(150, Habits(120, 0.08, 0.008), seed=5, start=START, days=DAYS + 1)
    return [sale(who, when, cents=cents) for who, when, cents in drawn]


def ledger_of(spark: SparkSession, rows: list[Row]) -> DataFrame:
    return table(spark, CUSTOMER_DAYS.schema, *rows).repartition(3)


@pytest.fixture(scope="module")
def work(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    document = {
        "lake": {"location": str(tmp_path_factory.mktemp("lake"))},
        "sources": {},
        "lifetime": {"churn_days": CHURN},
    }
    settings = Settings.model_validate(document)
    return Workspace(settings, Lake.open(spark, settings.lake), Progress())


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> Iterator[DataFrame]:
    made = ledger_of(spark, sales()).cache()
    yield made
    made.unpersist()


@pytest.fixture(scope="module")
def days(work: Workspace, ledger: DataFrame) -> tuple[ChurnDate, ...]:
    return churn_dates(work, ledger, Population(150, 150, {}, DAYS), AS_OF)


def assert_same(found: ChurnDate, expected: ChurnDate) -> None:
    assert found.name == expected.name
    np.testing.assert_array_equal(found.has_churned, expected.has_churned)
    np.testing.assert_array_equal(found.customers.features, expected.customers.features)
    np.testing.assert_array_equal(
        found.customers.histories.last_repeat_times, expected.customers.histories.last_repeat_times
    )
    for title, fit in expected.fitted.fits.items():
        assert found.fitted.fits[title].model == fit.model


def plain_churn(after: date, rows: list[Row]) -> dict[str, bool]:
    """Customer known by the day → whether there is no purchase in the days that follow."""
    names = [column.name for column in CUSTOMER_DAYS.columns]
    bought = [(row[names.index("customer_id")], row[names.index("purchase_date")]) for row in rows]
    known = {str(who) for who, when in bought if when <= after}  # type: ignore[operator]
    until = after + timedelta(days=CHURN)
    again = {str(who) for who, when in bought if after < when <= until}  # type: ignore[operator]
    return {who: who not in again for who in known}


def test_past_days_lie_as_far_apart_as_what_is_forecast(days: tuple[ChurnDate, ...]) -> None:
    assert [each.name for each in days] == [each.isoformat() for each in PAST]


def test_who_churned_is_who_has_no_purchase_in_the_days_that_follow(
    days: tuple[ChurnDate, ...],
) -> None:
    for found, after in zip(days, PAST, strict=True):
        expected = plain_churn(after, sales())
        assert len(found.customers) == len(expected)
        assert found.has_churned.sum() == sum(expected.values())
        assert 10 < found.has_churned.sum() < len(expected) - 10


def test_what_comes_after_a_days_outcome_changes_nothing_of_that_day(
    spark: SparkSession, work: Workspace, days: tuple[ChurnDate, ...]
) -> None:
    known = PAST[1] + timedelta(days=CHURN)
    later = known + timedelta(days=1)
    names = [column.name for column in CUSTOMER_DAYS.columns]
    effective = names.index("effective_date")
    before = [row for row in sales() if row[effective] <= known]  # type: ignore[operator]
    bought = [row for row in before if row[names.index("purchase_date")] > PAST[1]]  # type: ignore[operator]
    returns = [undone(str(row[1]), row[2], later) for row in bought]  # type: ignore[arg-type]
    assert names[1:3] == ["customer_id", "purchase_date"]
    more = [sale(f"c{number:03}", later) for number in range(150)]

    found = churn_dates(
        work, ledger_of(spark, before + returns + more), Population(150, 150, {}, DAYS), AS_OF
    )

    assert_same(found[1], days[1])
    assert_same(found[2], days[2])
    assert found[0].has_churned.sum() != days[0].has_churned.sum()


def test_a_purchase_undone_within_the_days_that_follow_is_none(
    spark: SparkSession, work: Workspace
) -> None:
    first, then = PAST[0] - timedelta(days=3), PAST[0] + timedelta(days=1)
    rows = [sale(who, day) for who in ("kept", "undone") for day in (first, then)]
    rows.append(undone("undone", then, AS_OF))
    (found, *_) = churn_dates(work, ledger_of(spark, rows), Population(2, 2, {}, 3 * CHURN), AS_OF)
    assert sorted(found.has_churned) == [0.0, 1.0]


def test_of_many_customers_the_same_ones_are_seen_whatever_the_partitions(
    work: Workspace, ledger: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime_churn, "_MOST_CUSTOMERS", 75)
    population = Population(150, 150, {}, 3 * CHURN)
    once = churn_dates(work, ledger, population, AS_OF)
    again = churn_dates(work, ledger.repartition(5, "purchase_date"), population, AS_OF)
    for found, expected in zip(again, once, strict=True):
        assert_same(found, expected)
        assert 0 < len(found.customers) < 110


def test_of_many_customers_no_others_are_worked_out_for_a_hold_out(
    work: Workspace,
    ledger: DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plans = []

    def explained(held_out: DataFrame, **_: object) -> Fold:
        capsys.readouterr()
        held_out.explain()
        plans.append(capsys.readouterr().out)
        raise LifetimeError("explained")

    monkeypatch.setattr(lifetime_folds, "_MOST_CUSTOMERS", 75)
    monkeypatch.setattr(lifetime_folds, "collect_fold", explained)
    hold_outs(work, ledger, Population(150, 150, {}, DAYS), AS_OF)
    assert len(plans) == 2
    for plan in plans:
        # A plan is told from its end; the hash is what samples.
        after, _, before = plan.partition("MapInArrow")
        assert ("xxhash64" in after, "xxhash64" in before) == (False, True)


def fitted_to(histories: DataFrame) -> FittedModels:
    rows = histories.filter(F.col("exclusion_reason").isNull()).orderBy("customer_id").toArrow()
    return fit_models(Statistics.of(observed_customers(rows)))


@pytest.fixture(scope="module")
def everything(ledger: DataFrame) -> DataFrame:
    return purchase_histories(ledger, settings=FeatureSettings(), as_of=AS_OF, with_features=True)


@pytest.fixture(scope="module")
def fitted(everything: DataFrame) -> FittedModels:
    return fitted_to(everything)


def evidence_of(
    days: tuple[ChurnDate, ...], fitted: FittedModels, features: tuple[str, ...]
) -> tuple[ChurnEvidence, list[str]]:
    return churn_evidence(
        days,
        fitted=fitted,
        choice=Choice("BG/NBD", SpendBasis.ALL_DAYS),
        terms=ChurnTerms(float(CHURN), features),
        history_days=DAYS,
    )


def test_every_row_of_the_evidence_fits_its_table_and_the_winner_is_served(
    spark: SparkSession,
    days: tuple[ChurnDate, ...],
    everything: DataFrame,
    fitted: FittedModels,
) -> None:
    evidence, remarks = evidence_of(days, fitted, feature_names(everything))

    models = spark.createDataFrame(churn_model_rows("l", evidence), LIFETIME_MODELS.schema)
    scores = spark.createDataFrame(churn_score_rows("l", evidence), CHURN_SCORES.schema)
    bins = spark.createDataFrame(churn_reliability_rows("l", evidence), CHURN_RELIABILITY.schema)

    found = {row["method"]: row.asDict() for row in models.collect()}
    (winner,) = [method for method, row in found.items() if row["is_winner"]]
    (served,) = [method for method, row in found.items() if row["is_chosen"]]
    assert evidence.served is not None
    assert evidence.served.method == served == winner
    assert found[winner]["reason"].startswith(f"churn within {CHURN} days: ")
    assert len(found) == 9
    means = scores.groupBy("method").agg(F.avg("brier_score").alias("mean")).collect()
    assert min(means, key=lambda row: float(row["mean"]))["method"] == winner
    assert {row["fold_date"] for row in scores.collect()} == set(PAST[:2])
    counted = bins.groupBy("method", "fold_date").agg(F.sum("customer_count").alias("n"))
    expected = scores.select("method", "fold_date", F.col("customer_count").alias("n"))
    assert counted.exceptAll(expected).count() == 0
    assert remarks == []


def test_without_past_days_the_models_own_word_is_served_and_called_untested(
    fitted: FittedModels,
) -> None:
    evidence, remarks = evidence_of((), fitted, ())
    assert evidence.served is not None
    assert (evidence.served.method, evidence.served.is_tested) == ("BG/NBD", False)
    assert remarks == [
        "churn is not tested: 3 times 50 days of history are needed, and there are 210",
        "churn is forecast by BG/NBD itself, which was not tested",
    ]
    (own,) = [row for row in churn_model_rows("l", evidence) if row[10]]
    assert own[-1] == "churn within 50 days: not tested"


def test_a_model_that_has_not_converged_is_not_served_but_where_it_values_customers(
    fitted: FittedModels,
) -> None:
    poor = {t: replace(fit, is_converged=False) for t, fit in fitted.purchases.items()}
    evidence, _ = evidence_of((), replace(fitted, purchases=poor), ())
    assert set(evidence.methods.forecasters) == {"BG/NBD"}
    assert "has not converged" in evidence.methods.failures["Pareto/NBD"]


def test_trees_forecast_every_customer_as_on_arrays_and_nothing_later_changes_them(
    spark: SparkSession,
    days: tuple[ChurnDate, ...],
    everything: DataFrame,
    fitted: FittedModels,
) -> None:
    terms = ValueTerms(365.0, 0.1, 1.0)
    evidence, _ = evidence_of(days, fitted, feature_names(everything))
    trees = evidence.methods.forecasters[BOOSTED_TREES]
    valuer = CustomerValuer.of(fitted, title="BG/NBD", basis=SpendBasis.ALL_DAYS, terms=terms)

    def churn_of(histories: DataFrame) -> dict[str, float]:
        made = customer_lifetime_values(
            histories,
            forecasts=(valuer, ServedChurn(BOOSTED_TREES, trees, is_tested=True)),
            terms=terms,
            failure="",
            lifetime_id="l",
        )
        return {row["customer_id"]: row["churn_probability_ratio"] for row in made.collect()}

    found = churn_of(everything)

    rows = everything.orderBy("customer_id").toArrow()
    expected = trees.probabilities(churn.seen_customers(rows, trees.feature_names))
    assert [found[who] for who in rows.column("customer_id").to_pylist()] == expected.tolist()
    tomorrow = AS_OF + timedelta(days=1)
    late = [sale("c001", tomorrow), undone("c002", START, tomorrow), sale("new", tomorrow)]
    with_late = ledger_of(spark, [*sales(), *late])
    again = purchase_histories(
        with_late, settings=FeatureSettings(), as_of=AS_OF, with_features=True
    )
    assert churn_of(again) == found
