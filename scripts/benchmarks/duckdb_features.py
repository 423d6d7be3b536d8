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
  sum(gross_amount) - sum(returned_amount) AS net,
  {dayparts}
FROM days WHERE effective_date <= $as_of GROUP BY ALL
"""
_GAPS = """
CREATE OR REPLACE TEMP TABLE gaps AS
WITH ordered AS (
  SELECT customer_id, purchase_date, purchase_date - lag(purchase_date) OVER (
    PARTITION BY customer_id ORDER BY purchase_date) AS gap,
    $as_of - max(purchase_date) OVER (PARTITION BY customer_id) AS silence
  FROM known WHERE orders > 0
)
SELECT customer_id, avg(gap) AS purchase_gap_mean_days,
  median(gap) AS purchase_gap_median_days,
  stddev_samp(gap) / avg(gap) AS purchase_gap_variation_ratio,
  avg((gap > silence)::INT) AS longer_gap_ratio, any_value(silence) / avg(gap) AS recency_gap_ratio,
  count(DISTINCT date_trunc('month', purchase_date)) AS active_months_count
FROM ordered GROUP BY customer_id
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
    sum(discount_amount) AS discount_amount, sum(net) AS net_amount, {windows},
    count(*) FILTER (orders > 0) AS purchase_days,
    sum(net) FILTER (orders > 0)::DOUBLE AS day_spend,
    (min_by(net, purchase_date) FILTER (orders > 0))::DOUBLE AS first_spend
  FROM known GROUP BY customer_id
)
SELECT summed.*, gaps.* EXCLUDE customer_id, $as_of - last_purchase_date AS recency_days,
  $as_of - first_purchase_date AS tenure_days, $as_of - first_purchase_date AS btyd_age_days,
  {derived},
  monetary_amount::DOUBLE / nullif(frequency_count, 0) AS average_order_amount,
  placed_units::DOUBLE / nullif(placed_orders, 0) AS average_basket_units,
  placed_lines::DOUBLE / nullif(placed_orders, 0) AS average_basket_lines,
  discount_amount::DOUBLE / nullif(gross_amount + discount_amount, 0) AS discount_ratio,
  returned_amount::DOUBLE / nullif(gross_amount, 0) AS return_ratio,
  purchase_days - 1 AS btyd_repeat_count,
  last_purchase_date - first_purchase_date AS btyd_last_repeat_days,
  CASE WHEN purchase_days > 1 THEN (day_spend - first_spend) / (purchase_days - 1) END
    AS btyd_repeat_mean_amount,
  day_spend / nullif(purchase_days, 0) AS btyd_day_mean_amount,
  CASE WHEN placed_orders = 0 THEN 'no purchase' WHEN purchase_days = 0 THEN 'undone' END
    AS exclusion_reason
FROM summed LEFT JOIN gaps USING (customer_id)
"""
_SCORED = """
WITH cuts AS (
  SELECT quantile_cont(recency_days::DOUBLE, {quintiles}) AS recency,
    quantile_cont(frequency_count::DOUBLE, {quintiles}) AS frequency,
    quantile_cont(monetary_amount::DOUBLE, {quintiles}) AS monetary
  FROM summaries WHERE exclusion_reason IS NULL
), scored AS (SELECT summaries.*, {scores} FROM summaries, cuts)
SELECT *, recency_score::VARCHAR || frequency_score::VARCHAR || monetary_score::VARCHAR
    AS rfm_score,
  ['lost', 'hibernating', 'at risk', 'cannot lose them', 'cannot lose them',
   'about to sleep', 'hibernating', 'at risk', 'at risk', 'at risk',
   'about to sleep', 'need attention', 'need attention', 'loyal customers', 'loyal customers',
   'promising', 'potential loyalists', 'loyal customers', 'champions', 'champions',
   'new customers', 'potential loyalists', 'loyal customers', 'champions', 'champions'
  ][(recency_score - 1) * 5 + (frequency_score + monetary_score + 1) // 2] AS rfm_segment
FROM scored
"""


def write_features(connection: duckdb.DuckDBPyConnection, as_of: date, folder: Path) -> None:
    """Write `customer_features.parquet`, all features of the default settings.

    Args:
        connection: With the temporary table `days`; leaves `known`, its sums by purchase day.
        as_of: Last day counted.
        folder: Where to write.
    """
    dayparts = ", ".join(
        f"sum({name}_order_count) - sum(undone_{name}_order_count) AS {name}_orders"
        for name in ("night", "morning", "afternoon", "evening")
    )
    connection.execute(_KNOWN.format(dayparts=dayparts), {"as_of": as_of})
    connection.execute(_GAPS, {"as_of": as_of})
    windows = ", ".join(_window(days, as_of) for days in _WINDOWS_DAYS)
    derived = ", ".join(map(_of_a_window, _WINDOWS_DAYS))
    connection.execute(_SUMMARIES.format(windows=windows, derived=derived), {"as_of": as_of})
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


def _window(days: int, as_of: date) -> str:
    after, before = (as_of - timedelta(days=times * days) for times in (1, 2))
    inside = f"FILTER (purchase_date > DATE '{after}')"
    return f"""
    coalesce(sum(orders) {inside}, 0) AS order_{days}_days_count,
    coalesce(sum(net) {inside}, 0) AS spend_{days}_days_amount,
    count(*) FILTER (purchase_date > DATE '{after}' AND orders > 0) AS purchase_{days}_days_count,
    sum(net) FILTER (purchase_date > DATE '{before}' AND purchase_date <= DATE '{after}')
      AS spend_before_{days}"""


def _of_a_window(days: int) -> str:
    spend = f"spend_{days}_days_amount::DOUBLE"
    return (
        f"{spend} / nullif(order_{days}_days_count, 0) AS average_order_{days}_days_amount, "
        f"CASE WHEN spend_before_{days} > 0 THEN {spend} / spend_before_{days}::DOUBLE END "
        f"AS spend_{days}_days_trend_ratio"
    )


def _above(value: str, cuts: str) -> str:
    return " + ".join(f"({value}::DOUBLE > {cuts}[{number}])::INT" for number in range(1, 5))
