"""Tables of what customers do and receive beside purchases: events by day, and engagement."""

from functools import partial

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract
from segspark.tables.feature import CUSTOMER_ID, HISTORY, SNAPSHOT_ID, Feature, FeatureGroup
from segspark.tables.purchases import LEDGER_ID

CUSTOMER_EVENT_DAYS = TableContract(
    name="customer_event_days",
    meaning="Events of one type of one customer on one day; additive sums only. Events without a "
    "known customer are not here.",
    grain=("ledger_id", "customer_id", "event_type", "event_date"),
    filtered_by=("ledger_id", "event_type", "event_date"),
    apart_by="event_date",
    columns=(
        LEDGER_ID,
        CUSTOMER_ID,
        Column("event_type", T.StringType(), "Such as visit, email_open, campaign, redemption."),
        Column("event_date", T.DateType(), "Calendar day in the business zone."),
        Column("event_count", T.LongType(), "Events."),
        Column(
            "quantity_units",
            MONEY,
            "Sum of the numbers that go with them; NULL where none has one.",
            nullable=True,
        ),
    ),
)

_WITHOUT_NUMBERS = "no event carries a number"
_WITHOUT_EVENTS = "there is no event"
_WINDOWS = "each window of features.windows_days, the as-of date included"
_of_type = partial(Feature, window=HISTORY, table="customer_event_days", is_everybodys=True)
_of_all = partial(Feature, window=HISTORY, table="customer_event_types", is_everybodys=True)

EVENT_TYPES = FeatureGroup(
    table="customer_event_types",
    meaning="Events of one type of one customer of a snapshot, up to and including the as-of date; "
    "`docs/behaviour.md` has the definitions.",
    asked_by="engagement",
    keys=(
        SNAPSHOT_ID,
        CUSTOMER_ID,
        Column("event_type", T.StringType(), "As in `customer_events`."),
    ),
    grain=("snapshot_id", "customer_id", "event_type"),
    features=(
        _of_type(
            "first_event_date",
            T.DateType(),
            "Day of the first event",
            "day",
            "smallest event_date",
        ),
        _of_type(
            "last_event_date",
            T.DateType(),
            "Day of the last event",
            "day",
            "largest event_date",
        ),
        _of_type(
            "event_recency_days",
            T.IntegerType(),
            "Days since the last event; 0: that day",
            "days",
            "as-of date - last_event_date",
        ),
        _of_type("event_count", T.LongType(), "Events", "events", "sum of event_count"),
        _of_type("event_days_count", T.LongType(), "Days with an event", "days", "number of rows"),
        _of_type(
            "quantity_units",
            MONEY,
            "Sum of the numbers that go with the events",
            "that of the events",
            "sum of quantity_units",
            missing=_WITHOUT_NUMBERS,
        ),
        _of_type(
            "mean_quantity_units",
            T.DoubleType(),
            "That sum per event",
            "that of the events, per event",
            "quantity_units / event_count",
            missing=_WITHOUT_NUMBERS,
        ),
        _of_type(
            "window_event_counts",
            T.MapType(T.IntegerType(), T.LongType()),
            "Days of a window of `features.windows_days` → events in it",
            "events",
            "sum of event_count",
            window=_WINDOWS,
        ),
        _of_type(
            "window_quantity_units",
            T.MapType(T.IntegerType(), MONEY),
            "Days of a window → sum of the numbers; absent where none in it has one",
            "that of the events",
            "sum of quantity_units",
            window=_WINDOWS,
        ),
        _of_type(
            "window_mean_quantity_units",
            T.MapType(T.IntegerType(), T.DoubleType()),
            "Days of a window → that sum per event; absent where none in it has a number",
            "that of the events, per event",
            "sum of quantity_units / sum of event_count",
            window=_WINDOWS,
            # Tables that were written before get it, too.
            is_optional=True,
        ),
        _of_type(
            "window_trend_ratios",
            T.MapType(T.IntegerType(), T.DoubleType()),
            "Days of a window → its events per those of as many days before it; absent where those "
            "have none",
            "ratio",
            "sum of event_count / sum of event_count of the equally long window before",
            window=_WINDOWS,
        ),
        _of_type(
            "engagement_score",
            T.DoubleType(),
            "What the type adds to the customer's engagement score: its weight times its events, "
            "each halved for every half-life that it is ago",
            "score",
            "weight * sum of event_count * 0.5 ^ (days ago / half_life_days)",
        ),
    ),
)

ENGAGEMENT = FeatureGroup(
    table="customer_engagement",
    meaning="How much one customer of a snapshot does beside purchases, lately above all. Every "
    "customer of the snapshot is here; without an event the score is 0.",
    asked_by="engagement",
    keys=(SNAPSHOT_ID, CUSTOMER_ID),
    grain=("snapshot_id", "customer_id"),
    features=(
        _of_all(
            "event_count",
            T.LongType(),
            "Events of all types up to the as-of date",
            "events",
            "sum of event_count",
        ),
        _of_all("event_type_count", T.LongType(), "Types with an event", "types", "number of rows"),
        _of_all(
            "last_event_date",
            T.DateType(),
            "Day of the last event",
            "day",
            "largest last_event_date",
            missing=_WITHOUT_EVENTS,
        ),
        _of_all(
            "event_recency_days",
            T.IntegerType(),
            "Days since the last event; 0: that day",
            "days",
            "smallest event_recency_days",
            missing=_WITHOUT_EVENTS,
        ),
        _of_all(
            "engagement_score",
            T.DoubleType(),
            "Sum of the parts",
            "score",
            "sum of engagement_score",
        ),
        _of_all(
            "engagement_parts",
            T.MapType(T.StringType(), T.DoubleType()),
            "Type of event → what it adds to the score; an absent type adds 0",
            "score",
            "engagement_score of each event_type",
        ),
    ),
)

CUSTOMER_EVENT_TYPES = EVENT_TYPES.contract
CUSTOMER_ENGAGEMENT = ENGAGEMENT.contract
