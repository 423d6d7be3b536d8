"""Business rules of a source: kinds of line, ids, numbers, checks with a severity."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from segspark.settings.base import StrictModel


class LineKind(StrEnum):
    """What a line of a receipt is."""

    SALE = "sale"
    RETURN = "return"
    CANCELLATION = "cancellation"
    FEE = "fee"
    POSTAGE = "postage"
    VOUCHER = "voucher"
    SAMPLE = "sample"
    ADJUSTMENT = "adjustment"
    WRITE_OFF = "write_off"


class Sign(StrEnum):
    """The sign of a quantity or an amount."""

    NEGATIVE = "negative"
    ZERO = "zero"
    POSITIVE = "positive"


class Severity(StrEnum):
    """What happens to a row that breaks a rule."""

    REFUSE = "refuse"
    FLAG = "flag"
    COUNT = "count"


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class CustomerIdRules(StrictModel):
    """How one customer's differently written ids become one."""

    strip_spaces: bool = True
    """Drop spaces around the id."""
    drop_zero_decimals: bool = True
    """Read `12345.0` as `12345`, as exports through floating point leave it."""
    letter_case: Literal["keep", "upper", "lower"] = "keep"
    """Whether ids that differ by case only are one."""
    guest_ids: tuple[str, ...] = Field(default=(), strict=False)
    """Ids that stand for nobody, such as `0` or `GUEST`; an empty id always does."""


class NumberStyle(StrictModel):
    """How a source writes numbers in texts."""

    decimal_separator: Literal[".", ","] = "."
    """What stands before the decimals."""
    thousands_separator: Literal["", ".", ",", " ", "'"] = ""
    """What groups the digits before them; ` ` also stands for a no-break space."""
    currency_signs: tuple[str, ...] = Field(default=(), strict=False)
    """Signs and codes around amounts that are dropped, such as `€` or `EUR`."""
    accounting_negatives: bool = False
    """Whether `(12.50)` and `12.50-` mean -12.50."""

    @model_validator(mode="after")
    def _separators_differ(self) -> Self:
        if self.decimal_separator == self.thousands_separator:
            raise ValueError("decimal_separator and thousands_separator must differ")
        return self


class LineKindRule(StrictModel):
    """Lines that meet every condition given are of this kind; the first rule that fits wins."""

    kind: LineKind = Field(strict=False)
    """What such a line is."""
    order_id_matches: Pattern | None = None
    """A regular expression found in the order id."""
    product_id_matches: Pattern | None = None
    """A regular expression found in the product id."""
    description_matches: Pattern | None = None
    """A regular expression found in the description."""
    quantity: Sign | None = Field(default=None, strict=False)
    """Sign of the quantity."""
    line_amount: Sign | None = Field(default=None, strict=False)
    """Sign of the line's money."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.model_dump(exclude={"kind"}, exclude_none=True):
            raise ValueError("a rule needs at least one condition beside its kind")
        return self


class Rule(StrictModel):
    """A check of every row, on the columns of the table that it goes to.

    A row breaks the rule where any of the conditions given says so.
    """

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,59}$")
    """What the counts, flags and refusals call it."""
    severity: Severity = Field(strict=False)
    """`refuse`: the row is refused; `flag`: it is kept with the rule's name in `flags`; `count`:
    it is only counted."""
    column: str | None = None
    """Column of the table that the conditions below are about, such as `quantity_units`."""
    required: bool = False
    """Broken where the column is NULL."""
    allowed: tuple[str, ...] = Field(default=(), strict=False)
    """Broken by any other value; NULL is allowed."""
    least: float | None = None
    """Broken below it."""
    most: float | None = None
    """Broken above it."""
    forbidden_pattern: Pattern | None = None
    """Broken where the regular expression is found, such as `^TEST`."""
    unique: tuple[str, ...] = Field(default=(), strict=False)
    """Columns, such as `[order_id, product_id]`: broken by rows of one file that agree in all of
    them and differ in another."""
    fails_when: str | None = None
    """A condition in Spark SQL on the table's columns, such as `quantity_units > 1000 AND
    country <> 'GB'`; `source_row.NAME` is the source's own column. Broken where it is true."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        about_column = (
            self.required,
            self.allowed,
            self.least is not None,
            self.most is not None,
            self.forbidden_pattern,
        )
        if any(about_column) != (self.column is not None):
            raise ValueError(
                "give column together with required, allowed, least, most or forbidden_pattern"
            )
        if not any((*about_column, self.unique, self.fails_when)):
            raise ValueError("a rule needs a condition")
        return self
