"""Customers for the tests of lifetime value: a few by hand, simulated ones, and real ones."""

import json
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segspark.lifetime.arrays import Floats
from segspark.lifetime.beta_geometric import BetaGeometricModel
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.pareto_nbd import ParetoNbd
from segspark.lifetime.purchase_models import PurchaseModel

_HERE = Path(__file__).parent
_DATA = Path(os.environ.get("SEGSPARK_DATA", _HERE.parent / ".." / "shared" / "data")).resolve()

KINDS: list[type[BgNbd] | type[MbgNbd] | type[ParetoNbd]] = [BgNbd, MbgNbd, ParetoNbd]
BG = BgNbd(0.243, 4.414, 0.793, 2.426)
MBG = MbgNbd(0.5248, 6.1831, 0.8914, 1.614)
PARETO = ParetoNbd(0.5534, 10.5802, 0.6061, 11.6562)
MODELS: list[BgNbd | MbgNbd | ParetoNbd] = [BG, MBG, PARETO]
SPEND = GammaGamma(6.25, 3.74, 15.44)


def histories(*rows: tuple[float, float, float]) -> PurchaseHistories:
    """Histories of (x, t_x, T), of one customer each."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return PurchaseHistories(columns[:, 0], columns[:, 1], columns[:, 2], np.ones(len(columns)))


def spends(*rows: tuple[float, float]) -> SpendHistories:
    """Spends of (x, m), of one customer each."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return SpendHistories(columns[:, 0], columns[:, 1], np.ones(len(columns)))


def random_histories(rows: int = 50, *, seed: int = 7) -> PurchaseHistories:
    """Histories of up to 30 repeat purchases in up to 80 units of time, oddly weighted."""
    draw = np.random.default_rng(seed)
    x = np.where(draw.random(rows) < 0.2, 0.0, draw.integers(1, 30, rows)).astype(np.float64)
    ages = draw.uniform(1.0, 80.0, rows)
    t_x = np.where(x > 0.0, draw.uniform(0.01, 1.0, rows) * ages, 0.0)
    return PurchaseHistories(x, t_x, ages, draw.uniform(0.1, 5.0, rows))


def simulated(model: PurchaseModel, ages: Floats, *, seed: int) -> PurchaseHistories:
    """One customer of each age, as the model's story tells it."""
    draw = np.random.default_rng(seed)
    if isinstance(model, ParetoNbd):
        rates = draw.gamma(model.r, 1.0 / model.alpha, len(ages))
        ends = draw.exponential(1.0 / draw.gamma(model.s, 1.0 / model.beta, len(ages)))
        return _purchases(rates, np.minimum(ends, ages), np.full(len(ages), np.inf), ages, draw)
    assert isinstance(model, BetaGeometricModel)
    rates = draw.gamma(model.r, 1.0 / model.alpha, len(ages))
    most: Floats = draw.geometric(draw.beta(model.a, model.b, len(ages))).astype(np.float64)
    most -= model.chances_at_start
    return _purchases(rates, ages, most, ages, draw)


def in_days(found: PurchaseHistories) -> PurchaseHistories:
    """As days are counted: the first purchase's day has no repeat."""
    days = np.maximum(np.ceil(found.last_repeat_times), np.sign(found.repeat_counts))
    return replace(found, last_repeat_times=days)


def _purchases(
    rates: Floats, ends: Floats, most: Floats, ages: Floats, draw: np.random.Generator
) -> PurchaseHistories:
    """Purchases at the rates, until the ends, and at most so many."""
    counts, last, now = np.zeros(len(ages)), np.zeros(len(ages)), np.zeros(len(ages))
    buying = most > 0.0
    while buying.any():
        now = now + draw.exponential(1.0, len(ages)) / np.maximum(rates, 1e-300)
        buying &= now < ends
        counts[buying] += 1.0
        last[buying] = now[buying]
        buying &= counts < most
    return PurchaseHistories(counts, last, ages, np.ones(len(ages)))


def simulated_spends(model: GammaGamma, repeat_counts: Floats, *, seed: int) -> SpendHistories:
    """Mean spends of customers with so many repeat purchases; 0 of those without."""
    draw = np.random.default_rng(seed)
    rates = draw.gamma(model.q, 1.0 / model.v, len(repeat_counts))
    shape = model.p * np.maximum(repeat_counts, 1.0)
    means = draw.gamma(shape, 1.0 / (rates * np.maximum(repeat_counts, 1.0)))
    means = np.where(repeat_counts > 0.0, means, 0.0)
    return SpendHistories(repeat_counts, means, np.ones(len(repeat_counts)))


def known_answers() -> dict[str, Any]:
    """Published figures of the models."""
    answers: dict[str, Any] = json.loads((_HERE / "known_answers" / "btyd.json").read_text())
    return answers


@dataclass(frozen=True)
class Shop:
    """Customers of a shop, in the order of their ids."""

    customer_ids: tuple[str, ...]
    histories: PurchaseHistories
    spends: SpendHistories
    day_means: Floats
    """Mean spend of all purchase days."""
    later_counts: Floats
    """Purchase days after the end of observation."""
    later_amounts: Floats
    """Spend on them."""


def cdnow() -> Shop:
    """CDNOW's sample, observed for 39 weeks, in weeks and dollars; or skip where it is absent."""
    path = _DATA / "cdnow" / "CDNOW_sample.txt"
    if not path.is_file():
        pytest.skip(f"no {path}: name the folder of the real data in SEGSPARK_DATA")
    return _cdnow(path)


def online_retail() -> Shop:
    """Online Retail's valid sales, in days and pounds; or skip where they are absent."""
    path = _DATA / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        pytest.skip(f"no {path}: name the folder of the real data in SEGSPARK_DATA")
    return _online_retail(path)


@cache
def _cdnow(path: Path) -> Shop:
    names = ["customer", "sample", "day", "units", "amount"]
    lines = pd.read_csv(path, sep=r"\s+", names=names, dtype={"customer": str, "day": str})
    lines["day"] = pd.to_datetime(lines["day"])
    return shop_of(lines, pd.Timestamp("1997-09-30"), unit_days=7.0)


@cache
def _online_retail(path: Path) -> Shop:
    columns = ["InvoiceNo", "Quantity", "UnitPrice", "CustomerID", "InvoiceDate"]
    lines = pd.read_parquet(path, columns=columns)
    is_sale = lines["CustomerID"].notna() & ~lines["InvoiceNo"].str.startswith("C")
    lines = lines[is_sale & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    plain = pd.DataFrame(
        {
            "customer": lines["CustomerID"].astype("int64"),
            "day": lines["InvoiceDate"].dt.normalize(),
            "amount": lines["Quantity"] * lines["UnitPrice"],
        }
    )
    return shop_of(plain, pd.Timestamp("2011-12-09"), unit_days=1.0)


def shop_of(lines: pd.DataFrame, end: pd.Timestamp, *, unit_days: float) -> Shop:
    """Purchases of a customer and day are one; the mean spend is that of repeat days."""
    days = lines.groupby(["customer", "day"], as_index=False)["amount"].sum()
    seen = days[days["day"] <= end]
    by_customer = seen.groupby("customer")["day"]
    first, last, count = by_customer.min(), by_customer.max(), by_customer.size()
    repeats = seen[seen["day"] > seen["customer"].map(first)]
    means = repeats.groupby("customer")["amount"].mean().reindex(first.index).fillna(0.0)
    day_means = seen.groupby("customer")["amount"].mean()
    later = days[days["day"] > end].groupby("customer")["amount"].agg(["size", "sum"])
    later = later.reindex(first.index).fillna(0.0)
    x, customers = count.to_numpy(float) - 1.0, np.ones(len(first))
    t_x = (last - first).dt.days.to_numpy(float) / unit_days
    ages = (end - first).dt.days.to_numpy(float) / unit_days
    return Shop(
        tuple(str(customer) for customer in first.index),
        PurchaseHistories(x, t_x, ages, customers),
        SpendHistories(x, means.to_numpy(float), customers),
        day_means.to_numpy(float),
        later["size"].to_numpy(float),
        later["sum"].to_numpy(float),
    )
