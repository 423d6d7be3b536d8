"""The customer features by DuckDB, from the table `days` that `duckdb_ledger` leaves."""

from datetime import date, timedelta
from pathlib import Path

import duckdb

_WINDOWS_DAYS = (7, 30, 90)
_KNOWN = """
CREATE OR REPLACE TEMP TABLE known AS
SELECT customer_id, purchase_date, sum(order_count) AS placed, sum(line_count) AS line_count,
  sum(quantity_units) AS quantity_units, sum(gross_amount) AS gross_amount,
  sum(discount_amount) AS discount_amount, sum(returned_amount) AS returned_amount,
  sum(order_count) - sum(undone_order_count) AS orders,
  sum(gross_amount) - sum(returned_amount) AS net
FROM days WHERE effective_date <= $as_of GROUP BY ALL
"""
_SUMMARIES = """
CREATE OR REPLACE TEMP TABLE summaries AS
WITH summed AS (
  SELECT customer_id,
    max(purchase_date) FILTER (orders > 0) AS last_purchase_date,
    min(purchase_date) FILTER (orders > 0) AS first_purchase_date,
    sum(orders) AS frequency_count, sum(net) AS monetary_amount, sum(placed) AS placed_orders,
    sum(quantity_units) AS placed_units, sum(line_count) AS placed_lines,
    sum(gross_amount) AS gross_amount, sum(returned_amount) AS returned_amount,
    sum(discount_amount) AS discount_amount, {windows},
    count(*) FILTER (orders > 0) AS purchase_days,
    sum(net) FILTER (orders > 0)::DOUBLE AS day_spend,
    (min_by(net, purchase_date) FILTER (orders > 0))::DOUBLE AS first_spend
  FROM known GROUP BY customer_id
)
SELECT *, $as_of - last_purchase_date AS recency_days,
  $as_of - first_purchase_date AS tenure_days,
  monetary_amount::DOUBLE / nullif(frequency_count, 0) AS average_order_amount,
  placed_units::DOUBLE / nullif(placed_orders, 0) AS average_basket_units,
  placed_lines::DOUBLE / nullif(placed_orders, 0) AS average_basket_lines,
  purchase_days - 1 AS btyd_repeat_count,
  last_purchase_date - first_purchase_date AS btyd_last_repeat_days,
  CASE WHEN purchase_days > 1 THEN (day_spend - first_spend) / (purchase_days - 1) END
    AS btyd_repeat_mean_amount,
  day_spend / nullif(purchase_days, 0) AS btyd_day_mean_amount,
  CASE WHEN placed_orders = 0 THEN 'no purchase' WHEN purchase_days = 0 THEN 'undone' END
    AS exclusion_reason
FROM summed
"""
_SCORED = """
WITH cuts AS (
  SELECT quantile_cont(recency_days::DOUBLE, {quintiles}) AS recency,
    quantile_cont(frequency_count::DOUBLE, {quintiles}) AS frequency,
    quantile_cont(monetary_amount::DOUBLE, {quintiles}) AS monetary
  FROM summaries WHERE exclusion_reason IS NULL
)
SELECT summaries.*, {scores} FROM summaries, cuts
"""


def write_features(connection: duckdb.DuckDBPyConnection, as_of: date, folder: Path) -> None:
    """Write `customer_features.parquet`; default settings.

    Args:
        connection: With the temporary table `days`.
        as_of: Last day counted.
        folder: Where to write.
    """
    connection.execute(_KNOWN, {"as_of": as_of})
    windows = ", ".join(
        f"coalesce(sum({value}) FILTER (purchase_date > DATE '{as_of - timedelta(days=days)}'), 0) "
        f"AS {name}_{days}_days"
        for days in _WINDOWS_DAYS
        for name, value in (("order", "orders"), ("spend", "net"))
    )
    connection.execute(_SUMMARIES.format(windows=windows), {"as_of": as_of})
    scores = ", ".join(
        f"{start} {sign} ({_above(value, cuts)}) AS {cuts}_score"
        for cuts, value, start, sign in (
            ("recency", "recency_days", 5, "-"),
            ("frequency", "frequency_count", 1, "+"),
            ("monetary", "monetary_amount", 1, "+"),
        )
    )
    scored = _SCORED.format(quintiles="[0.2, 0.4, 0.6, 0.8]", scores=scores)
    # write_parquet of a relation would work the query out twice.
    connection.execute("CREATE OR REPLACE TEMP TABLE features AS " + scored)
    connection.table("features").write_parquet(
        str(folder / "customer_features.parquet"), compression="snappy"
    )


def _above(value: str, cuts: str) -> str:
    return " + ".join(f"({value}::DOUBLE > {cuts}[{number}])::INT" for number in range(1, 5))
