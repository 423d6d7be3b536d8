"""Online Retail by its published recipe: every number of the funnel, to the last penny."""

import csv
import json
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.features.customers import customer_summaries
from segspark.features.ledger import customer_days
from segspark.features.lifetime_histories import history_statistics, purchase_histories
from segspark.features.lines import ledger_lines
from segspark.features.scores import score_cuts
from segspark.lifetime.fitted import SpendBasis, fit_models
from segspark.lifetime.parameters import parameter_names
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import load_settings
from segspark.settings.root import Settings
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS
from tests.lifetimes import known_answers, online_retail

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEGSPARK_DATA", ROOT / ".." / "shared" / "data")).resolve()
FOLDER = DATA / "online_retail"
PER_CUSTOMER = DATA.parent / "known_answers" / "rfm_online_retail_valid.csv"
KNOWN = json.loads((ROOT / "tests" / "known_answers" / "rfm.json").read_text(encoding="utf-8"))
AS_OF = date(2011, 12, 10)
GROSS = (
    "features.monetary=gross",
    "ledger.purchase_kinds=[sale, fee, postage, voucher]",
)

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no Online Retail in {DATA}: name its parent in SEGSPARK_DATA"
)


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The ZIP, ingested once with the configuration of the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONLINE_RETAIL", str(FOLDER / "online_retail.zip"))
        patch.setenv("SEGSPARK_LAKE", str(tmp_path_factory.mktemp("retail") / "lake"))
        settings = _settings()
        work = Workspace(settings, Lake.open(spark, settings.lake), Progress())
        ingest(work)
        yield work


def _settings(*overrides: str) -> Settings:
    return load_settings(ROOT / "conf" / "online_retail.yml", overrides)


@pytest.fixture(scope="module")
def lines(taken_in: Workspace) -> DataFrame:
    return taken_in.lake.read(TRANSACTIONS)


def _counted(lines: DataFrame, *, copies: Column) -> tuple[int, int, int, Decimal]:
    """Rows, customers, invoices and revenue."""
    row = lines.agg(
        F.sum(copies),
        F.count_distinct("customer_id"),
        F.count_distinct("order_id"),
        F.sum(F.col("line_amount") * copies.cast("decimal(10,0)")),
    ).collect()[0]
    return row[0], row[1], row[2], row[3]


def test_the_books_hold_every_row_and_every_penny(taken_in: Workspace) -> None:
    books = current_batches(taken_in)[0]
    raw = KNOWN["raw"]
    assert (books["in_row_count"], books["rejected_row_count"]) == (raw["rows"], 0)
    assert books["in_amount"] == Decimal(raw["sum_qty_x_price_all_rows_exact"])
    assert books["duplicate_row_count"] == raw["exact_dup_rows_extra"]
    assert books["kept_row_count"] == raw["rows"] - raw["exact_dup_rows_extra"]
    assert (books["first_date"], books["last_date"]) == (date(2010, 12, 1), date(2011, 12, 9))


def test_every_total_of_the_raw_file_is_in_the_transactions(lines: DataFrame) -> None:
    copies = F.col("copies_count")
    row = lines.agg(
        F.sum(F.when(F.col("customer_id").isNull(), copies)).alias("cust_null"),
        F.sum(F.when(F.col("order_id").startswith("C"), copies)).alias("C_rows"),
        F.sum(F.when(F.col("order_id").startswith("A"), copies)).alias("A_rows"),
        F.sum(F.when(F.col("quantity_units") < 0, copies)).alias("qty_neg"),
        F.sum(F.when(F.col("unit_price_amount") == 0, copies)).alias("price_zero"),
        F.sum(F.when(F.col("unit_price_amount") < 0, copies)).alias("price_neg"),
        F.sum(F.col("quantity_units") * copies).cast("long").alias("sum_qty"),
        F.count_distinct("product_id").alias("stock_codes"),
        F.count_distinct("description").alias("desc_unique_stripped"),
        F.count_distinct("country").alias("countries"),
    ).collect()[0]
    assert row.asDict() == {name: KNOWN["raw"][name] for name in row.asDict()}


def test_the_funnel_is_met_step_by_step(lines: DataFrame) -> None:
    known = F.col("customer_id").isNotNull()
    uncancelled = known & ~F.col("order_id").startswith("C")
    positive = (F.col("quantity_units") > 0) & (F.col("unit_price_amount") > 0)
    valid = uncancelled & positive
    product = valid & F.col("product_id").rlike(r"^\d{5}")
    everything, once, each = F.lit(col=True), F.lit(1), F.col("copies_count")
    steps = [
        (everything, each),
        (known, each),
        (uncancelled, each),
        (valid, each),
        (valid, once),
        (product, once),
        (valid & (F.col("country") == "United Kingdom"), once),
        (positive, each),
        (everything, once),
    ]
    expected = {}
    found = {}
    for (keep, copies), step in zip(steps, KNOWN["funnel"], strict=True):
        found[step["step"]] = _counted(lines.filter(keep), copies=copies)
        expected[step["step"]] = (
            step["rows"], step["customers"], step["invoices"], Decimal(step["revenue"]),
        )  # fmt: skip
    assert found == expected


def _once(made: DataFrame) -> DataFrame:
    """The rows of a frame, worked out once."""
    return made.sparkSession.createDataFrame(made.collect(), made.schema)


@pytest.fixture(scope="module")
def gross_days(taken_in: Workspace) -> DataFrame:
    """The ledger by the published recipe."""
    settings = _settings(*GROSS, "ledger.exact_duplicates=all").ledger
    lines = ledger_lines(taken_in.lake.read(TRANSACTIONS), settings=settings)
    return _once(customer_days(lines, ledger_id="ledger-1"))


@pytest.fixture(scope="module")
def gross(gross_days: DataFrame) -> DataFrame:
    """Customers as of the day after the last."""
    return _once(customer_summaries(gross_days, settings=_settings(*GROSS).features, as_of=AS_OF))


@pytest.fixture(scope="module")
def eligible(gross: DataFrame) -> list[Row]:
    return gross.filter(F.col("exclusion_reason").isNull()).collect()


def test_the_gross_recipe_gives_the_published_customers_and_sum(
    gross: DataFrame, eligible: list[Row]
) -> None:
    assert gross.count() == KNOWN["raw"]["customers_nonnull_unique"]
    assert len(eligible) == KNOWN["rfm_valid"]["customers"] == 4338
    total = sum(row["monetary_amount"] for row in eligible)
    assert total == Decimal(KNOWN["rfm_valid"]["sum_monetary"]) == Decimal("8911407.904")


def test_the_gross_recipe_gives_the_published_top_five(eligible: list[Row]) -> None:
    top = sorted(eligible, key=lambda row: row["monetary_amount"], reverse=True)[:5]
    assert {row["customer_id"]: float(row["monetary_amount"]) for row in top} == (
        KNOWN["rfm_valid"]["top5"]
    )


@pytest.mark.skipif(not PER_CUSTOMER.is_file(), reason=f"no {PER_CUSTOMER}")
def test_every_customer_has_the_published_recency_frequency_and_money(eligible: list[Row]) -> None:
    with PER_CUSTOMER.open(encoding="utf-8", newline="") as file:
        expected: dict[str, Any] = {
            row["cust"]: (
                int(row["recency_days_calendar"]),
                int(row["frequency_invoices"]),
                round(Decimal(row["monetary_gbp"]), 3),
            )
            for row in csv.DictReader(file)
        }
    found = {
        row["customer_id"]: (
            row["recency_days"],
            row["frequency_count"],
            round(row["monetary_amount"], 3),
        )
        for row in eligible
    }
    assert found == expected


def test_the_cuts_of_the_scores_are_the_published_quintiles(
    gross: DataFrame, taken_in: Workspace
) -> None:
    cuts = score_cuts(gross, settings=taken_in.settings.features)
    published = KNOWN["rfm_valid"]["quantiles_20_40_60_80_linear"]
    for ours, theirs in (
        ("recency_days", "recency_days_calendar"),
        ("frequency_count", "frequency_invoices"),
        ("monetary_amount", "monetary_gbp"),
    ):
        assert cuts[ours] == pytest.approx(published[theirs], rel=1e-12)


@pytest.fixture(scope="module")
def histories(gross_days: DataFrame) -> DataFrame:
    """What the models see on the last day."""
    settings = _settings(*GROSS).features
    return _once(purchase_histories(gross_days, settings=settings, as_of=date(2011, 12, 9)))


def test_every_customer_has_the_purchase_history_of_plain_pandas(histories: DataFrame) -> None:
    shop = online_retail()
    found = {row["customer_id"]: row for row in histories.collect() if not row["exclusion_reason"]}
    expected = {
        "repeat_count": shop.histories.repeat_counts,
        "last_repeat_days": shop.histories.last_repeat_times,
        "age_days": shop.histories.ages,
        "repeat_mean": shop.spends.mean_spends,
        "day_mean": shop.day_means,
    }
    assert sorted(found) == sorted(shop.customer_ids)
    for name, column in expected.items():
        values = [found[who][name] for who in shop.customer_ids]
        np.testing.assert_allclose(values, column, rtol=1e-9, err_msg=name)


def test_purchases_and_spend_are_fitted_as_computed_independently(histories: DataFrame) -> None:
    """known_answers/btyd.json, online_retail."""
    expected = known_answers()["online_retail"]

    fitted = fit_models(history_statistics(histories, customer_count=4372))

    purchases, spend = fitted.purchases["BG/NBD"], fitted.spends[SpendBasis.REPEAT_DAYS]
    assert purchases.customer_count == expected["customers"]
    assert purchases.log_likelihood == pytest.approx(expected["bg_nbd"]["LL"], abs=1e-2)
    assert spend.customer_count == expected["gamma_gamma"]["n"]
    for fit, name in ((purchases, "bg_nbd"), (spend, "gamma_gamma")):
        for parameter in parameter_names(fit.model):
            value = getattr(fit.model, parameter)
            assert value == pytest.approx(expected[name][parameter], rel=1e-3), parameter


def test_without_exact_duplicates_the_sum_is_the_published_one(lines: DataFrame) -> None:
    settings = _settings(*GROSS).ledger
    days = customer_days(ledger_lines(lines, settings=settings), ledger_id="ledger-1")
    total = days.agg(F.sum("gross_amount")).collect()[0][0]
    assert total == Decimal(KNOWN["rfm_deduplicated"]["sum_monetary"]) == Decimal("8887208.894")


def test_a_cancelled_order_of_80995_units_counts_for_nothing(
    taken_in: Workspace, lines: DataFrame
) -> None:
    mine = lines.filter(F.col("customer_id") == "16446")
    settings = taken_in.settings
    days = customer_days(ledger_lines(mine, settings=settings.ledger), ledger_id="ledger-1")
    row = customer_summaries(days, settings=settings.features, as_of=AS_OF).collect()[0]
    assert row["gross_amount"] == Decimal("168472.5")
    assert row["returned_amount"] == Decimal("168469.6")
    assert (row["monetary_amount"], row["frequency_count"]) == (Decimal("2.9"), 1)
    # Bought and cancelled on 9 December; what is left is of 18 May.
    assert row["last_purchase_date"] == date(2011, 5, 18)
