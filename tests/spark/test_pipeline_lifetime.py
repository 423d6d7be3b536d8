"""The lifetime stage on shops that can be told by hand: what it values, tests, and cannot say."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.lifetime.fitted import SpendBasis
from segspark.pipeline.ledger import ledger_id
from segspark.pipeline.lifetime import value_customers
from segspark.pipeline.progress import Progress
from segspark.pipeline.showing_lifetime import forecast_tables, lifetime_lines
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.root import Settings
from segspark.tables.contract import TableContract
from segspark.tables.lake import Lake
from segspark.tables.lifetime import (
    CHURN_SCORES,
    CUSTOMER_LIFETIME_VALUES,
    LIFETIME_MODELS,
    LIFETIME_SCORES,
)
from segspark.tables.manifest import find_stage
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.ledger_rows import Habits, drawn_sales, ledger_row

START, DAYS, HOLDOUT = date(2024, 1, 10), 200, 40
AS_OF = START + timedelta(days=DAYS)
GIVEN_BACK, REPEATS_GIVEN_BACK = "c002", "c003"
"""A euro more than was paid on each purchase day, and on each but the first, came back."""
Row = tuple[object, ...]


@pytest.fixture(scope="module")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("lifetime") / "lake")


class Shop:
    """One ledger of a lake that several share, each under a segmentation of its own."""

    def __init__(self, spark: SparkSession, folder: str, name: str, rows: list[Row]) -> None:
        document = {
            "segmentation": name,
            "lake": {"location": folder},
            "sources": {},
            "lifetime": {"holdout_days": HOLDOUT, "churn_days": 45},
        }
        settings = Settings.model_validate(document)
        self.here = Workspace(settings, Lake.open(spark, settings.lake), Progress())
        ledger = ledger_id(settings)
        days = table(spark, CUSTOMER_DAYS.schema, *((ledger, *row[1:]) for row in rows))
        self.here.lake.replace(CUSTOMER_DAYS, days, {"ledger_id": ledger})
        self.result: StageResult = value_customers(self.here, as_of=AS_OF, snapshot_id=name)

    def rows(self, contract: TableContract) -> list[dict[str, Any]]:
        df = self.here.lake.read(contract)
        own = df.filter(df["lifetime_id"] == self.result.stage_id)
        return [row.asDict() for row in own.collect()]

    @property
    def remarks(self) -> list[str]:
        found = find_stage(self.here.lake, "lifetime", self.result.stage_id)
        assert found is not None
        remarks: list[str] = json.loads(found["audit_json"])["remarks"]
        return remarks


def sale(who: str, bought: date, *, cents: int = 1_000) -> Row:
    return ledger_row(who, bought, bought, order_count=1, gross_amount=Decimal(cents) / 100)


def sales() -> pd.DataFrame:
    """Who bought on which day, for how many cents, and how many are left after returns."""
    drawn = drawn_sales(120, Habits(150, 0.06, 0.01), seed=11, start=START, days=DAYS)
    lines = pd.DataFrame(drawn, columns=["who", "day", "cents"])
    is_first = ~lines["who"].duplicated()
    is_back = (lines["who"] == GIVEN_BACK) | ((lines["who"] == REPEATS_GIVEN_BACK) & ~is_first)
    return lines.assign(left=lines["cents"].where(~is_back, -100), is_first=is_first)


def given_back(who: str, bought: date, *, cents: int) -> Row:
    return ledger_row(who, bought, bought, returned_amount=Decimal(cents) / 100)


@pytest.fixture(scope="module")
def good(spark: SparkSession, lake_folder: str) -> Shop:
    """120 customers, two of whom gave back more than they had paid."""
    rows = []
    for who, day, cents, left in sales()[["who", "day", "cents", "left"]].to_numpy().tolist():
        rows.append(sale(who, day, cents=cents))
        if left < 0:
            rows.append(given_back(who, day, cents=cents - left))
    return Shop(spark, lake_folder, "good", rows)


def test_each_hold_out_is_what_pandas_says_customers_bought_in_its_own_days(good: Shop) -> None:
    lines, expected = sales(), {}
    for number in (1, 2):
        after = AS_OF - timedelta(days=number * HOLDOUT)
        known = set(lines[lines["day"] <= after]["who"])
        until = after + timedelta(days=HOLDOUT)
        is_held_out = (lines["day"] > after) & (lines["day"] <= until) & lines["who"].isin(known)
        bought = lines[is_held_out]
        expected[after, "purchases"] = (len(known), float(len(bought)))
        expected[after, "value"] = (len(known), float(bought["left"].sum()) / 100)

    found = {
        (row["fold_date"], row["forecast"], row["method"]): row
        for row in good.rows(LIFETIME_SCORES)
    }

    assert {key[:2] for key in found} == set(expected)
    for (after, forecast, _), row in found.items():
        customers, total = expected[after, forecast]
        assert (row["customer_count"], row["holdout_days"]) == (customers, HOLDOUT)
        assert row["actual_total"] == pytest.approx(total)


def test_who_gave_back_more_than_they_paid_is_priced_like_the_typical_one(good: Shop) -> None:
    values = {row["customer_id"]: row for row in good.rows(CUSTOMER_LIFETIME_VALUES)}
    (chosen,) = [
        row["method"] for row in good.rows(LIFETIME_MODELS)
        if row["forecast"] == "value" and row["is_chosen"]
    ]  # fmt: skip
    lines = sales()
    if chosen.endswith(SpendBasis.REPEAT_DAYS):
        lines = lines[~lines["is_first"]]
    means = lines.groupby("who")["left"].mean()
    unpriced = means[means <= 0].index

    assert {row["reason"] for row in values.values()} == {None}
    numbers = [each for row in values.values() for each in row.values() if isinstance(each, float)]
    assert np.isfinite(numbers).all()
    assert GIVEN_BACK in unpriced
    assert len({values[who]["expected_purchase_amount"] for who in unpriced}) == 1
    assert values[unpriced[0]]["expected_purchase_amount"] > 0
    assert not chosen.endswith(SpendBasis.EVERYBODY)
    assert good.remarks == [
        f"{len(unpriced)} customers with a mean spend of 0 or less are priced like the typical one"
    ]


def with_equal_ranks(shop: Shop, lifetime_id: str) -> str:
    """The same methods and scores once more, where none ranks before another."""
    alike = {"lifetime_id": F.lit(lifetime_id)}
    changes = {
        LIFETIME_SCORES: alike,
        LIFETIME_MODELS: {**alike, "mean_rank": F.col("mean_rank") * 0},
    }
    for contract, changed in changes.items():
        df = shop.here.lake.read(contract)
        own = df.filter(df["lifetime_id"] == shop.result.stage_id)
        shop.here.lake.replace(contract, own.withColumns(changed), {"lifetime_id": lifetime_id})
    return lifetime_id


def test_every_forecast_is_shown_with_its_scores_the_best_first(good: Shop) -> None:
    models = good.rows(LIFETIME_MODELS)
    scores = good.rows(LIFETIME_SCORES)

    shown = forecast_tables(good.here, good.result.stage_id)

    assert len(shown) == 2
    for forecast, text in zip(("purchases", "value"), shown, strict=True):
        head, _, *lines = text.splitlines()
        assert head.startswith(f"{forecast} forecast by")
        ranks = {row["method"]: row["mean_rank"] for row in models if row["forecast"] == forecast}
        methods = [re.split(r"  +", line)[0] for line in lines]
        assert sorted(methods) == sorted(method for method, rank in ranks.items() if rank)
        assert [ranks[method] for method in methods] == sorted(ranks[each] for each in methods)
        own = [
            row for row in scores
            if (row["forecast"], row["method"]) == (forecast, methods[0])
        ]  # fmt: skip
        assert re.split(r"  +", lines[0])[1:] == [
            f"{sum(row['predicted_total'] for row in own):,.0f}",
            f"{sum(row['actual_total'] for row in own):,.0f}",
            *(
                f"{sum(row[name] for row in own) / 2:,.2f}"
                for name in ("mean_absolute_error", "gini", "top_decile_lift")
            ),
        ]
    assert all(text in "\n".join(lifetime_lines(good.here, good.result)) for text in shown)
    for text in forecast_tables(good.here, with_equal_ranks(good, "tied")):
        errors = [float(re.split(r"  +", line)[3]) for line in text.splitlines()[2:]]
        assert errors == sorted(errors)
        assert errors[0] < errors[-1]


def test_five_customers_have_a_reason_and_the_baseline(
    spark: SparkSession, lake_folder: str
) -> None:
    rows = [sale(f"c{n}", START + timedelta(days=30 * k + n)) for n in range(5) for k in range(6)]
    shop = Shop(spark, lake_folder, "five", rows)

    assert_nobody_is_valued(shop, customers=5, reason="5 customers are too few")
    assert "no customer could be valued: BG/NBD could not be estimated: 5 customers" in (
        shop.result.summary
    )
    assert any("BG/NBD could not be estimated" in remark for remark in shop.remarks)
    baselines = [row for row in shop.rows(LIFETIME_MODELS) if row["is_winner"]]
    assert {row["kind"] for row in baselines} == {"baseline"}
    shown = "\n".join(lifetime_lines(shop.here, shop.result))
    assert "no customer could be valued" in shown


def test_where_everybody_bought_once_everybody_has_that_reason(
    spark: SparkSession, lake_folder: str
) -> None:
    rows = [sale(f"c{n:02}", START + timedelta(days=n)) for n in range(30)]
    shop = Shop(spark, lake_folder, "once", rows)

    assert_nobody_is_valued(shop, customers=30, reason="none of the 30 customers has bought again")


def assert_nobody_is_valued(shop: Shop, *, customers: int, reason: str) -> None:
    values = shop.rows(CUSTOMER_LIFETIME_VALUES)
    assert len(values) == customers
    for row in values:
        assert reason in row["reason"]
        assert row["historic_spend_amount"] > 0
        numbers = {name for name, each in row.items() if isinstance(each, float)}
        assert numbers == {"historic_spend_amount"}
        assert row["churn_method"] is None
    models = shop.rows(LIFETIME_MODELS)
    assert not any(row["is_chosen"] for row in models)
    assert all(row["reason"] for row in models)
    assert {row["parameters_json"] for row in models if row["forecast"] != "churn"} == {None}
    assert all(row["lifetime_id"] for row in shop.rows(CHURN_SCORES))
