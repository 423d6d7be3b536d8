"""Tables of what else comes in beside purchases: customers, products, events."""

from pyspark.sql import types as T

from segspark.tables.contract import Column, TableContract
from segspark.tables.ingested import BATCH_ID, COPIES, FLAGS, LINE_ID, SOURCE, rejected

_ATTRIBUTES = Column(
    "attributes",
    T.MapType(T.StringType(), T.StringType()),
    "Further columns of the source by name, as texts; an empty one is absent.",
    personal=True,
)

CUSTOMERS = TableContract(
    name="customers",
    meaning="One row of what a source says about a customer from a day on.",
    grain=("batch_id", "line_id"),
    columns=(
        BATCH_ID,
        SOURCE,
        LINE_ID,
        Column("customer_id", T.StringType(), "Normalised id.", personal=True),
        Column(
            "valid_from_date",
            T.DateType(),
            "First day on which the row holds; NULL where the source gives none.",
            nullable=True,
        ),
        Column("country", T.StringType(), "Country of residence.", nullable=True),
        Column("region", T.StringType(), "Region, state or postal area.", nullable=True),
        Column("birth_date", T.DateType(), "Date of birth.", nullable=True, personal=True),
        Column(
            "consents",
            T.MapType(T.StringType(), T.BooleanType()),
            "Purpose → whether the customer consented; a purpose without an answer is absent.",
            personal=True,
        ),
        _ATTRIBUTES,
        FLAGS,
        COPIES,
    ),
)

PRODUCTS = TableContract(
    name="products",
    meaning="One row of what a source says about a product.",
    grain=("batch_id", "line_id"),
    columns=(
        BATCH_ID,
        SOURCE,
        LINE_ID,
        Column("product_id", T.StringType(), "The code that transactions have."),
        Column("description", T.StringType(), "The product in words.", nullable=True),
        Column("brand", T.StringType(), "Brand or manufacturer.", nullable=True),
        Column(
            "category_levels",
            T.ArrayType(T.StringType()),
            "Categories, the broadest first; an empty level is NULL.",
        ),
        _ATTRIBUTES,
        FLAGS,
        COPIES,
    ),
)

CUSTOMER_EVENTS = TableContract(
    name="customer_events",
    meaning="One thing that a customer did or received beside purchases.",
    grain=("batch_id", "line_id"),
    columns=(
        BATCH_ID,
        SOURCE,
        LINE_ID,
        Column(
            "customer_id",
            T.StringType(),
            "Normalised id; NULL where not known.",
            nullable=True,
            personal=True,
        ),
        Column("event_type", T.StringType(), "Such as visit, email_open, campaign, redemption."),
        Column("event_at", T.TimestampType(), "Instant, UTC."),
        Column("event_date", T.DateType(), "Calendar day in the business zone."),
        Column("local_hour", T.IntegerType(), "Hour of the day in the business zone, 0-23."),
        Column("campaign_id", T.StringType(), "Campaign that it belongs to.", nullable=True),
        Column("product_id", T.StringType(), "Product that it is about.", nullable=True),
        Column("channel", T.StringType(), "Such as web, app, e-mail, shop.", nullable=True),
        Column(
            "quantity_units",
            T.DecimalType(18, 4),
            "A number that goes with it, such as pages, seconds or points.",
            nullable=True,
        ),
        _ATTRIBUTES,
        FLAGS,
        COPIES,
    ),
)

REJECTED_CUSTOMERS = rejected(CUSTOMERS)
REJECTED_PRODUCTS = rejected(PRODUCTS)
REJECTED_CUSTOMER_EVENTS = rejected(CUSTOMER_EVENTS)
