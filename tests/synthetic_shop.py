"""A small synthetic shop in files, and tables on it that repeat the rules of its `source.yml`."""

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from scripts.synthetic.request import Request

SMALL = Request(
    lines=36_000, customers=1_525, seed=14, dirty_share=0.03, increment_lines=777, days=500
)
PARTS = ("transactions", "customers", "events", "true_customers")
DEFECTS = {
    "missing_stamp": "transaction_at IS NULL",
    "stamp_in_1900": "transaction_at = TIMESTAMP '1900-01-01'",
    "stamp_in_2099": "transaction_at >= TIMESTAMP '2099-01-01'",
    "lost_digits": "customer_id LIKE '%E+%'",
    "missing_order": "order_id IS NULL",
    "missing_product": "product_id IS NULL",
    "unknown_product": "product_id LIKE 'X%'",
    "unknown_country": "country NOT IN ('DE', 'AT', 'CH', 'FR', 'NL')",
    "missing_price": "unit_price IS NULL",
    "negative_price": "unit_price < 0",
    "zero_quantity": "quantity = 0",
}
"""What an ingest under `source.yml` refuses."""
COUNT_AND_CENTS = "count(*), coalesce(sum(quantity * unit_price * 100), 0)::BIGINT"
_REFUSED = " OR ".join(f"coalesce({condition}, false)" for condition in DEFECTS.values())
_KIND = (
    "CASE WHEN order_id LIKE 'C%' THEN 'cancellation' WHEN product_id = 'POSTAGE' THEN 'postage' "
    "WHEN product_id = 'GIFTWRAP' THEN 'fee' WHEN quantity < 0 THEN 'return' ELSE 'sale' END"
)


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """A shop's `lines`, `next_lines` of the increment, `people`, `events` and `true_customers`.

    `kept_lines` and `kept_next_lines` are what an ingest keeps, with the `kind` of each line.
    """
    connection = duckdb.connect()
    sources = {"lines": "transactions", "next_lines": "increment"}
    others = {"people": "customers", "events": "events", "true_customers": "true_customers"}
    for name, source in {**sources, **others}.items():
        connection.read_parquet(f"{folder}/{source}/*").create_view(name)
    for name in sources:
        kept = connection.view(name).filter(f"NOT ({_REFUSED})").distinct()
        kept.project(f"*, {_KIND} AS kind").create_view(f"kept_{name}")
    return connection


def truth_of(folder: Path) -> dict[str, Any]:
    """What the shop says of itself."""
    return dict(json.loads((folder / "truth.json").read_text(encoding="utf-8")))


def hashes(folder: Path) -> dict[str, str]:
    """Path of each file → hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
