"""Which source column holds what, for each entity that a source can bring."""

from typing import Self

from pydantic import Field, model_validator

from segspark.settings.base import StrictModel


class TransactionColumns(StrictModel):
    """Which source column holds what; names are the source's own."""

    customer_id: str
    """Who bought; empty for a guest."""
    transaction_at: str
    """When, as a stamp, a date or a text in `timestamp_format`."""
    order_id: str | None = None
    """The receipt; without one, a customer's lines of one day are one order."""
    product_id: str | None = None
    """What was bought."""
    description: str | None = None
    """The product in words."""
    quantity: str | None = None
    """Units, negative where they came back; without it every line is one unit."""
    unit_price: str | None = None
    """Price of one unit; give this or `line_amount`."""
    line_amount: str | None = None
    """Money of the whole line; give this or `unit_price`."""
    discounts: tuple[str, ...] = Field(default=(), strict=False)
    """Columns that hold discounts as positive money; they are added up."""
    currency: str | None = None
    """ISO 4217 code of the line's amounts; where it is empty, the source's `currency` holds."""
    country: str | None = None
    """Country of the customer or the order."""
    store_id: str | None = None
    """Shop or channel of the order."""

    @model_validator(mode="after")
    def _money_comes_once(self) -> Self:
        if (self.unit_price is None) == (self.line_amount is None):
            raise ValueError("give exactly one of unit_price and line_amount")
        if self.unit_price is not None and self.quantity is None:
            raise ValueError("unit_price needs quantity, or there is no money of the line")
        return self


class CustomerColumns(StrictModel):
    """Which source column holds what about a customer."""

    customer_id: str
    """Whom the row is about; required."""
    valid_from: str | None = None
    """Since when the row holds, as a date or in `timestamp_format`; none: always."""
    country: str | None = None
    """Country of residence."""
    region: str | None = None
    """Region, state or postal area."""
    birth_date: str | None = None
    """Date of birth, as a date or in `timestamp_format`."""
    consents: dict[str, str] = Field(default_factory=dict)
    """Purpose, such as `email` → column that says whether the customer consented."""
    attributes: tuple[str, ...] = Field(default=(), strict=False)
    """Further columns, kept as texts under their own names: demographics, loyalty level."""


class ProductColumns(StrictModel):
    """Which source column holds what about a product."""

    product_id: str
    """Code of the product, as transactions have it; required."""
    description: str | None = None
    """The product in words."""
    brand: str | None = None
    """Brand or manufacturer."""
    category_levels: tuple[str, ...] = Field(default=(), strict=False)
    """Columns of the hierarchy, the broadest first."""
    attributes: tuple[str, ...] = Field(default=(), strict=False)
    """Further columns, kept as texts under their own names."""


class EventColumns(StrictModel):
    """Which source column holds what about an event."""

    customer_id: str
    """Who did it or was addressed; empty where not known."""
    event_at: str
    """When, as a stamp, a date or a text in `timestamp_format`."""
    event_type: str | None = None
    """What happened; none: the source's `event_type` says it for all rows."""
    campaign_id: str | None = None
    """Campaign that it belongs to."""
    product_id: str | None = None
    """Product that it is about."""
    channel: str | None = None
    """Such as web, app, e-mail, shop."""
    quantity: str | None = None
    """A number that goes with it, such as pages, seconds or points."""
    attributes: tuple[str, ...] = Field(default=(), strict=False)
    """Further columns, kept as texts under their own names."""
