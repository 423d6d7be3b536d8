"""Tables of what customers do and receive beside purchases: events by day, and engagement."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract
from segspark.tables.purchases import LEDGER_ID

CUSTOMER_EVENT_DAYS = TableContract(
    name="customer_event_days",
    meaning="Events of one type of one customer on one day; additive sums only. Events without a "
    "known customer are not here.",
    grain=("ledger_id", "customer_id", "event_type", "event_date"),
    apart_by="event_date",
    columns=(
        LEDGER_ID,
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
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

_SNAPSHOT_ID = Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches.")
_CUSTOMER_ID = Column("customer_id", T.StringType(), "Normalised customer id.", personal=True)

CUSTOMER_EVENT_TYPES = TableContract(
    name="customer_event_types",
    meaning="Events of one type of one customer of a snapshot, up to and including the as-of date; "
    "`docs/behaviour.md` has the definitions.",
    grain=("snapshot_id", "customer_id", "event_type"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column("event_type", T.StringType(), "As in `customer_events`."),
        Column("first_event_date", T.DateType(), "Day of the first event."),
        Column("last_event_date", T.DateType(), "Day of the last event."),
        Column("event_recency_days", T.IntegerType(), "Days since the last event; 0: that day."),
        Column("event_count", T.LongType(), "Events."),
        Column("event_days_count", T.LongType(), "Days with an event."),
        Column(
            "quantity_units",
            MONEY,
            "Sum of the numbers that go with them; NULL where none has one.",
            nullable=True,
        ),
        Column(
            "mean_quantity_units", T.DoubleType(), "That sum per event; NULL as above.",
            nullable=True,
        ),
        Column(
            "window_event_counts",
            T.MapType(T.IntegerType(), T.LongType()),
            "Days of a window of `features.windows_days` → events in it.",
        ),
        Column(
            "window_quantity_units",
            T.MapType(T.IntegerType(), MONEY),
            "Days of a window → sum of the numbers; absent where none in it has one.",
        ),
        Column(
            "window_trend_ratios",
            T.MapType(T.IntegerType(), T.DoubleType()),
            "Days of a window → its events per those of as many days before it; absent where those "
            "have none.",
        ),
        Column(
            "engagement_score",
            T.DoubleType(),
            "What the type adds to the customer's engagement score: its weight times its events, "
            "each halved for every half-life that it is ago.",
        ),
    ),
)  # fmt: skip

CUSTOMER_ENGAGEMENT = TableContract(
    name="customer_engagement",
    meaning="How much one customer of a snapshot does beside purchases, lately above all. Every "
    "customer of the snapshot is here; without an event the score is 0.",
    grain=("snapshot_id", "customer_id"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column("event_count", T.LongType(), "Events of all types up to the as-of date."),
        Column("event_type_count", T.LongType(), "Types with an event."),
        Column(
            "last_event_date", T.DateType(), "Day of the last event; NULL without one.",
            nullable=True,
        ),
        Column(
            "event_recency_days", T.IntegerType(), "Days since it; NULL without one.", nullable=True
        ),
        Column("engagement_score", T.DoubleType(), "Sum of the parts."),
        Column(
            "engagement_parts",
            T.MapType(T.StringType(), T.DoubleType()),
            "Type of event → what it adds to the score; an absent type adds 0.",
        ),
    ),
)  # fmt: skip
