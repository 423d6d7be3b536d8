"""One feature of a customer, told once: the contract and the catalogue are made of it."""

from dataclasses import dataclass, field

from pyspark.sql import types as T

from segspark.tables.contract import Column, TableContract

OBSERVED = "the observation window"
HISTORY = "all days up to the as-of date"
SNAPSHOT_ID = Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches.")
CUSTOMER_ID = Column("customer_id", T.StringType(), "Normalised customer id.", personal=True)
_WITHOUT_PURCHASE = "no purchase counts"


@dataclass(frozen=True, slots=True)
class Feature:
    """What a column about a customer means and how it is worked out.

    Attributes:
        name: The column.
        dtype: Its Spark type.
        definition: What it means, one sentence without its stop.
        unit: days, orders, money, …; of a map, that of its values.
        formula: How it is worked out, in the words of the page of features.
        window: Which days count.
        table: What it is worked out from; several tables are separated by commas.
        missing: When it is NULL although the customer has a purchase; empty: never.
        is_everybodys: Whether customers without a purchase that counts have a value, too.
        is_optional: Whether snapshots of other settings do not have it.
        personal: Whether it is a fact about a person as the source tells it, and not a figure.
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
    personal: bool = field(default=False, kw_only=True)

    @property
    def null_rule(self) -> str:
        """When a snapshot that has the feature holds NULL."""
        rules = ["" if self.is_everybodys else _WITHOUT_PURCHASE, self.missing]
        return ", or ".join(rule for rule in rules if rule) or "never"

    @property
    def column(self) -> Column:
        """The column of the contract."""
        rule = f" NULL where {self.missing}." if self.missing else ""
        return Column(
            self.name,
            self.dtype,
            f"{self.definition}.{rule}",
            nullable=self.is_optional or self.null_rule != "never",
            personal=self.personal,
        )


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """The features of one table.

    Attributes:
        table: Name of the table that holds them.
        meaning: What one row is.
        keys: Columns that say whose the values are, and are no features.
        grain: Those of them that identify one row.
        features: In the order of their columns.
        asked_by: Section of the settings `features` without which a snapshot does not have the
            group; empty: every snapshot has it.
    """

    table: str
    meaning: str
    keys: tuple[Column, ...]
    grain: tuple[str, ...]
    features: tuple[Feature, ...]
    asked_by: str = ""

    @property
    def contract(self) -> TableContract:
        """The table."""
        columns = (*self.keys, *(feature.column for feature in self.features))
        ids = tuple(column.name for column in self.keys)
        return TableContract(self.table, self.meaning, self.grain, columns, filtered_by=ids)

    @property
    def owner(self) -> str:
        """What one value is of, in words: `snapshot, customer and category`."""
        *others, last = (name.removesuffix("_id").replace("_", " ") for name in self.grain)
        return f"{', '.join(others)} and {last}"
