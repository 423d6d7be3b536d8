"""The configuration with which segspark takes in what was generated."""

from pathlib import Path
from typing import Any

import yaml

from scripts.synthetic.places import COUNTRIES
from scripts.synthetic.request import Request

_HEADER = """\
# A synthetic shop, from scripts/generate_transactions.py; what is true of it stands in truth.json.
# Paths are taken from where segspark runs. SEGSPARK_LAKE names another lake.
"""
_DIRTY_RULES: list[dict[str, Any]] = [
    {
        "name": "needs_order",
        "severity": "refuse",
        "fails_when": "coalesce(source_row.order_id, '') = ''",
    },
    {"name": "needs_product", "severity": "refuse", "column": "product_id", "required": True},
    {
        "name": "known_product",
        "severity": "refuse",
        "column": "product_id",
        "forbidden_pattern": "^X",
    },
    {
        "name": "known_country",
        "severity": "refuse",
        "column": "country",
        "allowed": list(COUNTRIES),
    },
    {
        "name": "price_not_negative",
        "severity": "refuse",
        "column": "unit_price_amount",
        "least": 0,
    },
    {"name": "has_quantity", "severity": "refuse", "fails_when": "quantity_units = 0"},
]
"""What refuses the defects that every shop would not refuse."""
_MOST_REJECTED_RATIO = 0.05


def source_text(request: Request, folder: Path) -> str:
    """The configuration as YAML.

    Args:
        request: What was generated; rules against defects are there only where defects are.
        folder: Where it was written to.
    """
    document = {
        "lake": {"location": "${SEGSPARK_LAKE:-lakes/synthetic}", "currency": "EUR"},
        "sources": {
            "transactions": _transactions(request, folder),
            "customers": _customers(request, folder),
            "products": _products(request, folder),
            "events": _events(request, folder),
        },
    }
    return _HEADER + yaml.safe_dump(document, sort_keys=False)


def _source(request: Request, location: Path) -> dict[str, Any]:
    stamps = {"timestamp_format": "yyyy-MM-dd HH:mm:ss"} if request.file_format == "csv" else {}
    return {"location": str(location), "format": {"kind": request.file_format}, **stamps}


def _transactions(request: Request, folder: Path) -> dict[str, Any]:
    rules = _DIRTY_RULES if request.dirty_share > 0 else []
    return {
        **_source(request, folder / "transactions"),
        "currency": "EUR",
        "columns": {
            "customer_id": "customer_id",
            "order_id": "order_id",
            "transaction_at": "transaction_at",
            "product_id": "product_id",
            "quantity": "quantity",
            "unit_price": "unit_price",
            "discounts": ["discount_amount"],
            "country": "country",
            "store_id": "store_id",
        },
        "discounts_deducted": True,
        "line_kinds": [
            {"kind": "cancellation", "order_id_matches": "^C"},
            {"kind": "postage", "product_id_matches": "^POSTAGE$"},
            {"kind": "fee", "product_id_matches": "^GIFTWRAP$"},
        ],
        "rules": rules,
        "most_rejected_ratio": max(_MOST_REJECTED_RATIO, request.dirty_share),
    }


def _customers(request: Request, folder: Path) -> dict[str, Any]:
    source = _source(request, folder / "customers")
    source.pop("timestamp_format", None)
    return {
        "entity": "customers",
        **source,
        "columns": {
            "customer_id": "customer_id",
            "valid_from": "valid_from",
            "country": "country",
            "region": "region",
            "birth_date": "birth_date",
            "consents": {"email": "email_consent", "phone": "phone_consent"},
            "attributes": ["age_band", "income_band", "household_size"],
        },
    }


def _products(request: Request, folder: Path) -> dict[str, Any]:
    source = _source(request, folder / f"products.{request.file_format}")
    source.pop("timestamp_format", None)
    return {
        "entity": "products",
        **source,
        "columns": {
            "product_id": "product_id",
            "description": "description",
            "brand": "brand",
            "category_levels": ["department", "category", "subcategory"],
            "attributes": ["first_list_price"],
        },
    }


def _events(request: Request, folder: Path) -> dict[str, Any]:
    return {
        "entity": "events",
        **_source(request, folder / "events"),
        "columns": {
            "customer_id": "customer_id",
            "event_at": "event_at",
            "event_type": "event_type",
            "campaign_id": "campaign_id",
            "product_id": "product_id",
            "channel": "channel",
            "quantity": "quantity",
        },
    }
