"""A million customers to value, and the fit that does not compress them."""

import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import functions as F
from scipy.optimize import minimize
from scipy.special import gammaln

from segspark.features.lifetime_histories import history_statistics
from segspark.features.lifetime_values import customer_lifetime_values
from segspark.lifetime.churn_holdout import ServedChurn
from segspark.lifetime.churn_methods import OwnChurn
from segspark.lifetime.customer_values import CustomerValuer, ValueTerms
from segspark.lifetime.fitted import SpendBasis, fit_models
from segspark.lifetime.pareto_nbd import ParetoNbd
from segspark.tables.lake import Lake
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES

Floats = NDArray[np.float64]
_LIFETIME_ID = "lifetime-benchmark"
_MOST_AGE_DAYS = 730
_TERMS = ValueTerms(horizon_days=365.0, yearly_discount_ratio=0.1, margin_ratio=1.0)
_CHURN_DAYS = 90.0


def draw_histories(path: Path, customers: int) -> Path:
    """Write BG/NBD customers in whole days as the stage `lifetime` sees them; the same each time.

    Returns:
        The Parquet file: columns of `purchase_histories`.
    """
    random = np.random.default_rng(20261121)
    ages = random.integers(1, _MOST_AGE_DAYS + 1, customers).astype(float)
    rates, drop_outs = random.gamma(0.7, 1 / 40.0, customers), random.beta(0.8, 2.5, customers)
    repeats, last = np.zeros(customers), np.zeros(customers)
    is_alive = np.ones(customers, dtype=bool)
    while is_alive.any():
        who = np.flatnonzero(is_alive)
        at = last[who] + np.ceil(random.exponential(1 / rates[who]))
        is_seen = at <= ages[who]
        seen = who[is_seen]
        repeats[seen] += 1
        last[seen] = at[is_seen]
        is_alive[who[~is_seen]] = False
        is_alive[seen] = random.random(len(seen)) >= drop_outs[seen]
    mean = random.gamma(6.0, 1.0, customers) * 30.0 / random.gamma(4.0, 1.0, customers)
    ids = [f"C{number:08d}" for number in range(customers)]
    table = {
        "customer_id": ids,
        "exclusion_reason": pa.nulls(customers, pa.string()),
        "first_purchase_date": pa.array([date(2024, 12, 30)] * customers),
        "repeat_count": repeats,
        "last_repeat_days": last,
        "age_days": ages,
        "repeat_mean": np.where(repeats > 0, np.round(mean, 2), 0.0),
        "day_mean": np.round(mean, 2),
    }
    pq.write_table(pa.table(table), path)
    return path


def value_histories(lake: Lake, histories: Path) -> None:
    """Fit every model to all customers and write each one's value.

    Raises:
        SystemExit: Not every customer was valued.
    """
    known = lake.spark.read.parquet(str(histories)).repartition(8).persist()
    try:
        count = known.count()
        fitted = fit_models(history_statistics(known, customer_count=count))
        valuer = CustomerValuer.of(
            fitted, title=ParetoNbd.title, basis=SpendBasis.ALL_DAYS, terms=_TERMS
        )
        own = OwnChurn(fitted.purchases[ParetoNbd.title].model, _CHURN_DAYS)
        values = customer_lifetime_values(
            known,
            forecasts=(valuer, ServedChurn(ParetoNbd.title, own, is_tested=False)),
            terms=_TERMS,
            failure="",
            lifetime_id=_LIFETIME_ID,
        )
        lake.replace(CUSTOMER_LIFETIME_VALUES, values, {"lifetime_id": _LIFETIME_ID})
    finally:
        known.unpersist()
    written = lake.read(CUSTOMER_LIFETIME_VALUES).filter(F.col("lifetime_value_amount").isNotNull())
    if written.count() != count:
        raise SystemExit("not every customer was valued")


def full_data_fit_seconds(histories: Path) -> float:
    """Fit BG/NBD to every customer's row as Python's `lifetimes` does, and say how long it took.

    Its likelihood (Fader, Hardie and Lee 2005, equation 6), penalised by nothing, minimised over
    log-parameters with gradients by differences.
    """
    columns = ["repeat_count", "last_repeat_days", "age_days"]
    x, t_x, ages = (c.to_numpy() for c in pq.read_table(histories, columns=columns).columns)
    started = time.monotonic()
    scale = ages.max()
    minimize(_cost, np.zeros(4), args=(x, t_x / scale, ages / scale), method="L-BFGS-B")
    return time.monotonic() - started


def _cost(point: Floats, x: Floats, t_x: Floats, ages: Floats) -> float:
    r, alpha, a, b = np.exp(point)
    one = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    two = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    three = -(r + x) * np.log(alpha + ages)
    four = np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + t_x)
    largest = np.maximum(three, four)
    both = np.log(np.exp(three - largest) + np.exp(four - largest) * (x > 0)) + largest
    return float(-np.mean(one + two + both))
