"""The ledger and the customer features by DuckDB: the peer of the benchmark, and a second opinion.

Written from the definitions in docs/tables.md, with joins of ranges where Spark's side has windows.
Default settings only: sales, returns and cancellations, the first unit bought is undone first, net.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

MONEY = "DECIMAL(28,4)"
_SETUP = (
    """
CREATE OR REPLACE TEMP TABLE lines AS
SELECT source, batch_id, line_id, customer_id, order_id, product_id, source_currency,
  abs(source_unit_price_amount) AS price, transaction_at, transaction_date, local_hour,
  line_kind = 'sale' AND line_amount > 0 AS is_purchase,
  line_kind IN ('return', 'cancellation') AND line_amount < 0 AS is_return,
  abs(quantity_units)::DECIMAL(28,4) AS units, abs(line_amount)::DECIMAL(28,4) AS amount,
  discount_amount::DECIMAL(28,4) AS discount
FROM read_parquet($files) WHERE customer_id IS NOT NULL
""",
    """
CREATE OR REPLACE TEMP TABLE orders AS
SELECT source, customer_id, order_id, min(transaction_date) AS order_date,
  nullif(arg_min(CASE WHEN local_hour = 0 AND epoch_us(transaction_at) % 900000000 = 0 THEN 24
    ELSE local_hour END, transaction_at), 24) AS order_hour
FROM lines WHERE is_purchase GROUP BY ALL
""",
    """
CREATE OR REPLACE TEMP TABLE events AS
WITH returned AS (
  SELECT DISTINCT source, customer_id, product_id, source_currency, price FROM lines
  WHERE is_return AND product_id IS NOT NULL AND price IS NOT NULL
)
SELECT lines.*, order_date FROM lines
SEMI JOIN returned USING (source, customer_id, product_id, source_currency, price)
JOIN orders ON orders.source = lines.source AND orders.customer_id = lines.customer_id
  AND orders.order_id IS NOT DISTINCT FROM lines.order_id
WHERE is_purchase
UNION ALL BY NAME
SELECT *, transaction_date AS order_date FROM lines WHERE is_return
""",
)
_MATCHES = """
CREATE OR REPLACE TEMP TABLE matches AS
WITH running AS (
  SELECT *, sum(CASE WHEN is_return THEN -units ELSE units END) OVER so_far AS running,
    sum(CASE WHEN is_return THEN 0 ELSE units END) OVER so_far AS bought
  FROM events
  WINDOW so_far AS (
    PARTITION BY source, customer_id, product_id, source_currency, price
    ORDER BY transaction_at, is_return, batch_id, line_id ROWS UNBOUNDED PRECEDING)
), lain AS (
  SELECT *, running - least(0, min(running) OVER so_far) AS after_units FROM running
  WINDOW so_far AS (
    PARTITION BY source, customer_id, product_id, source_currency, price
    ORDER BY transaction_at, is_return, batch_id, line_id ROWS UNBOUNDED PRECEDING)
), placed AS (
  SELECT *, coalesce(lag(after_units) OVER in_order, 0) AS before_units FROM lain
  WINDOW in_order AS (
    PARTITION BY source, customer_id, product_id, source_currency, price
    ORDER BY transaction_at, is_return, batch_id, line_id)
), taken AS (
  SELECT *, bought - before_units AS low, bought - after_units AS high FROM placed WHERE is_return
), put AS (
  SELECT *, bought - units AS low, bought AS high FROM placed WHERE NOT is_return AND units > 0
), pieces AS (
  SELECT taken.*, put.batch_id AS purchase_batch_id, put.line_id AS purchase_line_id,
    put.order_id AS purchase_order_id, put.order_date AS purchase_date,
    greatest(put.low, taken.low) - taken.low AS first,
    least(put.high, taken.high) - taken.low AS last, true AS is_matched
  FROM taken JOIN put USING (source, customer_id, product_id, source_currency, price)
  WHERE put.low < taken.high AND taken.low < put.high
  UNION ALL BY NAME
  SELECT *, high - low AS first, units AS last, false AS is_matched
  FROM taken WHERE high - low < units OR units = 0
)
SELECT batch_id AS return_batch_id, line_id AS return_line_id, purchase_batch_id, purchase_line_id,
  is_matched, source, customer_id, purchase_order_id AS order_id, purchase_date,
  transaction_date AS return_date, (last - first)::DECIMAL(28,4) AS returned_units,
  ((CASE WHEN last >= units THEN amount
    ELSE round(amount::DOUBLE * (last::DOUBLE / units::DOUBLE), 4)::DECIMAL(28,4) END)
  - CASE WHEN first = 0 THEN 0
    ELSE round(amount::DOUBLE * (first::DOUBLE / units::DOUBLE), 4)::DECIMAL(28,4) END
  )::DECIMAL(28,4) AS returned_amount
FROM pieces
"""
_DAYS = """
CREATE OR REPLACE TEMP TABLE days AS
WITH back AS (SELECT * FROM matches WHERE is_matched),
touched AS (SELECT DISTINCT source, customer_id, order_id, purchase_date FROM back),
moves AS (
  SELECT lines.source, lines.customer_id, lines.order_id, purchase_date,
    transaction_date AS day, units AS units_left, (units = 0)::INT AS unreturnable
  FROM lines JOIN touched USING (source, customer_id, order_id) WHERE is_purchase
  UNION ALL
  SELECT source, customer_id, order_id, purchase_date, return_date, -returned_units, 0 FROM back
), order_days AS (
  SELECT source, customer_id, order_id, purchase_date, day, sum(units_left) AS units_left,
    sum(unreturnable) AS unreturnable
  FROM moves GROUP BY ALL
), left_over AS (
  SELECT *, sum(units_left) OVER so_far = 0 AND sum(unreturnable) OVER so_far = 0 AS is_undone
  FROM order_days
  WINDOW so_far AS (
    PARTITION BY source, customer_id, order_id, purchase_date ORDER BY day ROWS UNBOUNDED PRECEDING)
), undone AS (
  SELECT source, order_id, customer_id, purchase_date, day,
    is_undone::INT - coalesce(lag(is_undone::INT) OVER (
    PARTITION BY source, customer_id, order_id, purchase_date ORDER BY day), 0) AS change
  FROM left_over
), undone_hours AS (
  SELECT undone.*, order_hour FROM undone JOIN orders USING (source, customer_id, order_id)
  WHERE change <> 0
), parts AS (
  SELECT lines.customer_id, order_date AS purchase_date, transaction_date AS effective_date,
    count(*) AS line_count, sum(units) AS quantity_units, sum(amount) AS gross_amount,
    sum(discount) AS discount_amount
  FROM lines JOIN orders ON orders.source = lines.source
    AND orders.customer_id = lines.customer_id
    AND orders.order_id IS NOT DISTINCT FROM lines.order_id
  WHERE is_purchase GROUP BY ALL
  UNION ALL BY NAME
  SELECT customer_id, order_date AS purchase_date, order_date AS effective_date,
    count(*) AS order_count, {placed}
  FROM orders GROUP BY ALL
  UNION ALL BY NAME
  SELECT customer_id, purchase_date, day AS effective_date, change AS undone_order_count, {undone}
  FROM undone_hours
  UNION ALL BY NAME
  SELECT customer_id, coalesce(purchase_date, return_date) AS purchase_date,
    return_date AS effective_date, returned_units, returned_amount,
    CASE WHEN is_matched THEN 0 ELSE returned_amount END AS unmatched_returned_amount
  FROM matches
  UNION ALL BY NAME
  SELECT DISTINCT customer_id, transaction_date AS purchase_date,
    transaction_date AS effective_date
  FROM lines WHERE NOT is_purchase AND NOT is_return
)
SELECT customer_id, purchase_date, effective_date, {sums}
FROM parts GROUP BY customer_id, purchase_date, effective_date ORDER BY effective_date
"""
DAYPARTS = {"night": 0, "morning": 6, "afternoon": 12, "evening": 18}
COUNTS = (
    "order_count",
    "undone_order_count",
    "line_count",
    *(f"{daypart}_order_count" for daypart in DAYPARTS),
    *(f"undone_{daypart}_order_count" for daypart in DAYPARTS),
)
SUMS = (
    "quantity_units",
    "gross_amount",
    "discount_amount",
    "returned_units",
    "returned_amount",
    "unmatched_returned_amount",
)


def write_ledger(connection: duckdb.DuckDBPyConnection, files: Sequence[str], folder: Path) -> None:
    """Write `return_matches.parquet` and `customer_days.parquet`; leaves the table `days`.

    Args:
        connection: Of DuckDB.
        files: Parquet files of `transactions`; all of their lines count.
        folder: Where to write.
    """
    for statement in _SETUP:
        connection.execute(statement, {"files": list(files)} if "$files" in statement else None)
    connection.execute(_MATCHES)
    sums = [f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in COUNTS]
    sums += [f"coalesce(sum({name}), 0)::{MONEY} AS {name}" for name in SUMS]
    parts = {name: f"order_hour BETWEEN {hour} AND {hour + 5}" for name, hour in DAYPARTS.items()}
    placed = [f"count(*) FILTER ({is_in}) AS {name}_order_count" for name, is_in in parts.items()]
    undone = [
        f"CASE WHEN {is_in} THEN change ELSE 0 END AS undone_{name}_order_count"
        for name, is_in in parts.items()
    ]
    lists = {"sums": sums, "placed": placed, "undone": undone}
    connection.execute(_DAYS.format(**{name: ", ".join(each) for name, each in lists.items()}))
    _copy(connection, "matches", folder / "return_matches.parquet")
    _copy(connection, "days", folder / "customer_days.parquet")


def _copy(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    connection.table(table).write_parquet(str(path), compression="snappy")
