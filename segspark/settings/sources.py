"""What a user writes about a source: where it is, what its columns mean, its rules."""

from datetime import date
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from segspark.settings.base import Location, StrictModel
from segspark.settings.formats import SourceFormat
from segspark.settings.mapping import (
    CustomerColumns,
    EventColumns,
    ProductColumns,
    TransactionColumns,
)
from segspark.settings.rules import CustomerIdRules, LineKindRule, NumberStyle, Rule


def _check_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Europe/London")
    return name


Zone = Annotated[str, AfterValidator(_check_zone)]
Alarm = Literal["volume", "completeness", "distinct", "mean", "refused", "new_values", "columns"]


class QualitySettings(StrictModel):
    """Alarms of each batch, against the batches of the same source before it."""

    false_alarm_ratio: float = Field(default=0.01, gt=0, le=0.5)
    """Share of sound batches in which any alarm may ring: shared out among a batch's checks."""
    history_batches: int = Field(default=60, ge=4, le=1000)
    """How many earlier batches say what is usual; with fewer than four, none rings but
    that of `columns`."""
    blocking: tuple[Alarm, ...] = Field(default=(), strict=False)
    """Alarms that refuse the batch; the others are reported."""


class SourceSettings(StrictModel):
    """What all sources share."""

    location: Location
    """A file, a folder or a glob, at a path or an address that every executor sees; of a Delta
    table any address that Spark can read, of a database its `jdbc:` address. `package:name/path`
    is a file that an installed Python package ships. A relative path is taken from where the job
    runs."""
    format: SourceFormat
    """How it is to be read."""
    timestamp_format: str | None = None
    """Pattern of a textual stamp, such as `yyyy-MM-dd HH:mm:ss`; none: ISO 8601."""
    stamp_zone: Zone = "UTC"
    """Zone in which the stamps are written."""
    business_zone: Zone = "UTC"
    """Zone whose calendar days count."""
    earliest_date: date | None = Field(default=date(1980, 1, 1), strict=False)
    """Rows of earlier days are refused: exports write a missing date as 1900 or 1970."""
    most_future_days: int | None = Field(default=1, ge=0)
    """Rows of days that lie further behind the day on which their file was written are refused."""
    numbers: NumberStyle = NumberStyle()
    """How numbers are written in texts."""
    customer_ids: CustomerIdRules = CustomerIdRules()
    """How customer ids are normalised."""
    rules: tuple[Rule, ...] = Field(default=(), strict=False)
    """Checks of every row."""
    one_batch_per: Literal["file", "folder"] = "file"
    """What is taken in, counted and replaced as one: a file, or all files of one folder."""
    changed_file: Literal["refuse", "replace"] = "refuse"
    """What to do with a file whose content changed since it was ingested under the same name."""
    most_rejected_ratio: float = Field(default=0.05, ge=0, le=1)
    """Share of refused rows above which a batch is refused as a whole."""
    quality: QualitySettings = QualitySettings()
    """Alarms of each batch."""

    @model_validator(mode="after")
    def _rules_have_names_of_their_own(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rules: {', '.join(twice)} is the name of two rules")
        return self


class TransactionSource(SourceSettings):
    """A source of purchase lines."""

    entity: Literal["transactions"] = "transactions"
    """What the rows are; may be left out."""
    columns: TransactionColumns
    """Which of its columns holds what."""
    currency: str = Field(pattern="^[A-Z]{3}$")
    """ISO 4217 code of the amounts; without `exchange_rates` it must be the lake's."""
    exchange_rates: Location | None = None
    """CSV file with the columns `rate_date`, `currency` and `rate`, in the lake's currency for one
    unit; each line takes the newest rate that is not later than its day. None: lines in another
    currency than the lake's are refused."""
    most_rate_age_days: int = Field(default=7, ge=0)
    """Age above which a rate is not used any more; such lines are refused."""
    discounts_deducted: bool = True
    """Whether the amounts are already net of `columns.discounts`."""
    line_kinds: tuple[LineKindRule, ...] = Field(default=(), strict=False)
    """Business rules; a line that none fits is a return if its quantity or money is negative,
    a sample if its money is zero, else a sale."""


class CustomerSource(SourceSettings):
    """A source of what is known about customers."""

    entity: Literal["customers"]
    """What the rows are."""
    columns: CustomerColumns
    """Which of its columns holds what."""


class ProductSource(SourceSettings):
    """A source of products and their categories."""

    entity: Literal["products"]
    """What the rows are."""
    columns: ProductColumns
    """Which of its columns holds what."""


class EventSource(SourceSettings):
    """A source of events: browsing, e-mail, support, campaigns, redemptions."""

    entity: Literal["events"]
    """What the rows are."""
    columns: EventColumns
    """Which of its columns holds what."""
    event_type: str | None = None
    """What all its rows are, where no column says so."""

    @model_validator(mode="after")
    def _the_type_comes_once(self) -> Self:
        if (self.event_type is None) == (self.columns.event_type is None):
            raise ValueError("give exactly one of event_type and columns.event_type")
        return self


def _entity(value: Any) -> str:  # noqa: ANN401 - whatever stands in the file
    """Sources are of transactions where they do not say otherwise."""
    found = value.get("entity") if isinstance(value, dict) else getattr(value, "entity", None)
    return "transactions" if found is None else str(found)


Source = Annotated[
    Annotated[TransactionSource, Tag("transactions")]
    | Annotated[CustomerSource, Tag("customers")]
    | Annotated[ProductSource, Tag("products")]
    | Annotated[EventSource, Tag("events")],
    Discriminator(_entity),
]
