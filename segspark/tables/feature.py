"""One feature of a customer, told once: the contract and the catalogue are made of it."""

from dataclasses import dataclass, field

from pyspark.sql import types as T

from segspark.tables.contract import Column

GRAIN = "snapshot and customer"
OBSERVED = "the observation window"
HISTORY = "all days up to the as-of date"
_WITHOUT_PURCHASE = "no purchase counts"


@dataclass(frozen=True, slots=True)
class Feature:
    """What a column of `customer_features` means and how it is worked out.

    Attributes:
        name: The column.
        dtype: Its Spark type.
        definition: What it means, one sentence without its stop.
        unit: days, orders, money, …
        formula: How it is worked out, in the words of the page of features.
        window: Which purchase days count.
        table: What it is worked out from.
        missing: When it is NULL although the customer has a purchase; empty: never.
        is_everybodys: Whether customers without a purchase that counts have a value, too.
        is_optional: Whether snapshots of other settings do not have it.
    """

    name: str
    dtype: T.DataType
    definition: str
    unit: str
    formula: str
    window: str = OBSERVED
    table: str = field(default="customer_days", kw_only=True)
    missing: str = field(default="", kw_only=True)
    is_everybodys: bool = field(default=False, kw_only=True)
    is_optional: bool = field(default=False, kw_only=True)

    @property
    def null_rule(self) -> str:
        """When a snapshot that has the feature holds NULL."""
        rules = ["" if self.is_everybodys else _WITHOUT_PURCHASE, self.missing]
        return ", or ".join(rule for rule in rules if rule) or "never"

    @property
    def column(self) -> Column:
        """The column of the contract."""
        rule = f" NULL where {self.missing}." if self.missing else ""
        is_nullable = self.is_optional or self.null_rule != "never"
        return Column(self.name, self.dtype, f"{self.definition}.{rule}", nullable=is_nullable)
