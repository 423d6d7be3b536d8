"""Tables beside the history: the products, and what is true of each customer."""

import numpy as np
import pyarrow as pa

from scripts.synthetic.catalogue import PRODUCT_CODES, Catalogue, category_codes
from scripts.synthetic.clock import Clock
from scripts.synthetic.columns import coded, money
from scripts.synthetic.customer_types import TYPES
from scripts.synthetic.customers import Customers
from scripts.synthetic.transaction_table import customer_ids


def product_table(catalogue: Catalogue) -> pa.Table:
    """One row per product; fees are none.

    Columns: `product_id`, `description`, `brand`, `department`, `category`, `subcategory`,
    `first_list_price` (EUR, at the beginning of the history).
    """
    departments, categories, subcategories = category_codes()
    codes = PRODUCT_CODES[: len(departments)]
    names = [
        f"{group} article {code[1:]}" for group, code in zip(subcategories, codes, strict=True)
    ]
    return pa.table(
        {
            "product_id": pa.array(codes),
            "description": pa.array(names),
            "brand": pa.array([f"BRAND {number:02d}" for number in catalogue.brands]),
            "department": pa.array(departments),
            "category": pa.array(categories),
            "subcategory": pa.array(subcategories),
            "first_list_price": money(np.ascontiguousarray(catalogue.list_cents[:, 0])),
        }
    )


def true_customer_table(clock: Clock, customers: Customers) -> pa.Table:
    """One row per customer: what a model should find out, and an ingest does not see.

    Columns: `customer_id`, `customer_type`, `joined_time` and `dropped_out_time` (days of the
    shop's clock), `purchase_rate` and `dropout_rate` (by its day), `is_alive_at_end`,
    `spend_multiplier`, `whale_factor`.
    """
    return pa.table(
        {
            "customer_id": customer_ids(customers.numbers),
            "customer_type": coded(TYPES, customers.types),
            "joined_time": customers.joined,
            "dropped_out_time": customers.dropped_out,
            "purchase_rate": customers.purchase_rates,
            "dropout_rate": customers.dropout_rates,
            "is_alive_at_end": customers.dropped_out > clock.starts[-1],
            "spend_multiplier": customers.spend_multipliers,
            "whale_factor": customers.whale_factors,
        }
    )
