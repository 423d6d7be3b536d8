"""CDNOW by the configuration of the repository, against a plain reading and published counts."""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features.ledger import customer_days
from segspark.features.lifetime_histories import history_statistics, purchase_histories
from segspark.features.lines import ledger_lines
from segspark.lifetime.fitted import SpendBasis, Statistics, fit_models
from segspark.lifetime.parameters import parameter_names
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import load_settings
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS
from tests.lifetimes import known_answers

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEGSPARK_DATA", ROOT / ".." / "shared" / "data")).resolve()
FILE = DATA / "cdnow" / "CDNOW_sample.txt"
LAST_CALIBRATION_DAY = date(1997, 9, 30)
PUBLISHED = known_answers()["cdnow_sample"]

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"no CDNOW in {DATA}: name its parent in SEGSPARK_DATA"
)


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The file, ingested once with the configuration of the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDNOW", str(FILE))
        patch.setenv("SEGSPARK_LAKE", str(tmp_path_factory.mktemp("cdnow") / "lake"))
        settings = load_settings(ROOT / "conf" / "cdnow.yml")
        work = Workspace(settings, Lake.open(spark, settings.lake), Progress())
        ingest(work)
        yield work


@pytest.fixture(scope="module")
def lines(taken_in: Workspace) -> DataFrame:
    return taken_in.lake.read(TRANSACTIONS)


@pytest.fixture(scope="module")
def purchase_days(lines: DataFrame) -> dict[str, list[date]]:
    """Customer → days with a purchase, in order: one order each."""
    found = lines.groupBy("customer_id").agg(F.sort_array(F.collect_set("transaction_date")))
    return {row[0]: row[1] for row in found.collect()}


def _plain_lines() -> list[tuple[str, date, int, Decimal]]:
    """Customer, day, units and dollars of every line, by spaces instead of places."""
    found = []
    for line in FILE.read_text(encoding="ascii").splitlines():
        customer, _, day, units, dollars = line.split()
        found.append((customer, date.fromisoformat(day), int(units), Decimal(dollars)))
    return found


def test_the_books_hold_every_line_and_every_dollar(taken_in: Workspace) -> None:
    (books,) = current_batches(taken_in)
    plain = _plain_lines()
    assert books["in_row_count"] == len(plain) == 6919
    assert books["duplicate_row_count"] == len(plain) - len(set(plain)) == 21
    assert (books["rejected_row_count"], books["guest_row_count"]) == (0, 0)
    assert books["in_amount"] == sum(line[3] for line in plain) == Decimal("244091.94")
    assert (books["first_date"], books["last_date"]) == (date(1997, 1, 1), date(1998, 6, 30))


def test_every_customer_has_the_lines_units_and_dollars_of_the_file(lines: DataFrame) -> None:
    expected: dict[str, list[Any]] = defaultdict(lambda: [0, 0, Decimal(0)])
    for customer, _, units, dollars in _plain_lines():
        of_customer = expected[customer]
        of_customer[:] = [of_customer[0] + 1, of_customer[1] + units, of_customer[2] + dollars]
    copies = F.col("copies_count")
    found = lines.groupBy("customer_id").agg(
        F.sum(copies),
        F.sum(F.col("quantity_units") * copies),
        F.sum(F.col("line_amount") * copies.cast("decimal(10,0)")),
    )
    assert {row[0]: list(row[1:]) for row in found.collect()} == expected
    assert len(expected) == 2357


def test_lines_without_money_are_samples_and_all_others_sales(lines: DataFrame) -> None:
    kinds = {row["line_kind"]: row["count"] for row in lines.groupBy("line_kind").count().collect()}
    free = len({line for line in _plain_lines() if not line[3]})
    assert kinds == {"sample": free, "sale": 6898 - free}
    assert free == 8


def test_days_and_ids_are_kept_as_they_are_written(lines: DataFrame) -> None:
    first = lines.filter(F.col("customer_id") == "00004").orderBy("transaction_at").first()
    assert first is not None
    assert first["transaction_at"].isoformat() == "1997-01-01T00:00:00"
    assert (first["order_id"], first["local_hour"]) == ("00004 1997-01-01", 0)
    assert (first["quantity_units"], first["line_amount"]) == (2, Decimal("29.33"))
    assert (first["currency"], first["product_id"]) == ("USD", None)


def test_repeat_purchases_are_those_of_fader_hardie_and_lee(
    purchase_days: dict[str, list[date]],
) -> None:
    """A customer's lines of one day are one order; known_answers/btyd.json, cdnow_sample."""
    calibrated = {
        customer: [day for day in days if day <= LAST_CALIBRATION_DAY]
        for customer, days in purchase_days.items()
    }
    repeats = {customer: len(days) - 1 for customer, days in calibrated.items()}
    assert (len(repeats), sum(repeats.values())) == (2357, 2457)
    assert sum(count == 0 for count in repeats.values()) == 1411
    held_out = sum(map(len, purchase_days.values())) - sum(map(len, calibrated.values()))
    assert held_out == 1882
    # The first customer of the sample: x = 2, t_x = 30.43 and T = 38.86 weeks.
    first = calibrated["00004"]
    weeks = [(day - first[0]).days / 7 for day in (first[-1], LAST_CALIBRATION_DAY)]
    assert (repeats["00004"], [round(span, 2) for span in weeks]) == (2, [30.43, 38.86])


@pytest.fixture(scope="module")
def calibrated(taken_in: Workspace) -> Statistics:
    """What the models see of the ledger, at the end of the calibration."""
    settings, lines = taken_in.settings, taken_in.lake.read(TRANSACTIONS)
    days = customer_days(ledger_lines(lines, settings=settings.ledger), ledger_id="ledger-1")
    histories = purchase_histories(days, settings=settings.features, as_of=LAST_CALIBRATION_DAY)
    return history_statistics(histories, customer_count=2357)


def test_the_ledger_counts_customers_and_repeat_purchases_as_published(
    calibrated: Statistics,
) -> None:
    seen, totals = calibrated.histories, PUBLISHED["holdout_totals"]
    customers = seen.customer_counts
    assert customers.sum() == 2357
    assert customers[seen.repeat_counts == 0.0].sum() == totals["zero_repeaters"]
    assert customers @ seen.repeat_counts == totals["calibration_repeat_transactions"]


def test_the_ledger_is_fitted_as_published(calibrated: Statistics) -> None:
    fitted, weeks = fit_models(calibrated), calibrated.histories.in_time_unit(1 / 7)

    for title, name, tolerance in (
        ("BG/NBD", "bg_nbd", 1e-3), ("MBG/NBD", "mbg_nbd", 1e-3), ("Pareto/NBD", "pareto_nbd", 5e-3)
    ):  # fmt: skip
        model, published = fitted.purchases[title].model.in_time_unit(1 / 7), PUBLISHED[name]
        for parameter in parameter_names(model):
            found = getattr(model, parameter)
            assert found == pytest.approx(published[parameter], rel=tolerance), (title, parameter)
        if "log_likelihood" in published:
            likelihood = weeks.customer_counts @ model.log_likelihoods(weeks)
            assert likelihood == pytest.approx(published["log_likelihood"], abs=1e-3)

    spend, published = fitted.spends[SpendBasis.REPEAT_DAYS], PUBLISHED["gamma_gamma"]
    assert spend.customer_count == published["customers"]
    for parameter in parameter_names(spend.model):
        assert getattr(spend.model, parameter) == pytest.approx(published[parameter], rel=1e-3)
