"""Tables of purchase lines and of the ledger made from them."""

from pyspark.sql import types as T

from segspark.tables.contract import LINE_MONEY, Column, TableContract
from segspark.tables.ingested import BATCH_ID, COPIES, FLAGS, LINE_ID, SOURCE, rejected

LEDGER_ID = Column(
    "ledger_id", T.StringType(), "Ledger: hash of a segmentation and of the settings that it reads."
)
EXCHANGE_RATE = T.DecimalType(24, 12)
"""Worth of one unit of a currency in another: 0.0000485 keeps eight digits."""

TRANSACTIONS = TableContract(
    name="transactions",
    meaning="One purchase, return or adjustment line; lines equal in every source column are one.",
    grain=("batch_id", "line_id"),
    filtered_by=("batch_id", "source", "transaction_at", "transaction_date"),
    columns=(
        BATCH_ID,
        SOURCE,
        LINE_ID,
        Column(
            "line_kind",
            T.StringType(),
            "sale, return, cancellation, fee, postage, voucher, "
            "sample, adjustment or write_off, by the source's rules.",
        ),
        Column(
            "order_id",
            T.StringType(),
            "Receipt; without one, customer and day.",
            nullable=True,
            personal=True,
        ),
        Column(
            "customer_id",
            T.StringType(),
            "Normalised id; NULL for a guest.",
            nullable=True,
            personal=True,
        ),
        Column("transaction_at", T.TimestampType(), "Instant, UTC."),
        Column("transaction_date", T.DateType(), "Calendar day in the business zone."),
        Column("local_hour", T.IntegerType(), "Hour of the day in the business zone, 0-23."),
        Column("product_id", T.StringType(), "The source's product code.", nullable=True),
        Column(
            "description",
            T.StringType(),
            "The product in words, outer spaces dropped.",
            nullable=True,
            personal=True,
        ),
        Column("quantity_units", T.DecimalType(18, 4), "Units; negative where they came back."),
        Column(
            "unit_price_amount",
            LINE_MONEY,
            "Price of a unit; NULL where it is not known.",
            nullable=True,
        ),
        Column(
            "source_unit_price_amount",
            LINE_MONEY,
            "Price of a unit in the source's currency; NULL where it is not known.",
            nullable=True,
        ),
        Column(
            "line_amount",
            LINE_MONEY,
            "Money of the line, discounts deducted; negative where it was given back.",
        ),
        Column("discount_amount", LINE_MONEY, "Discounts deducted from the line, positive."),
        Column("currency", T.StringType(), "ISO 4217 code of the amounts: the lake's."),
        Column(
            "source_currency",
            T.StringType(),
            "ISO 4217 code of the amounts as the source has them.",
        ),
        Column(
            "exchange_rate",
            EXCHANGE_RATE,
            "What one unit of the source's currency was taken for; 1 in the lake's own.",
        ),
        Column("country", T.StringType(), "Country of the customer or order.", nullable=True),
        Column("store_id", T.StringType(), "Shop or channel.", nullable=True),
        FLAGS,
        COPIES,
    ),
)

REJECTED_TRANSACTIONS = rejected(TRANSACTIONS)

DAYPART_HOURS = 6
DAYPARTS = {"night": 0, "morning": 6, "afternoon": 12, "evening": 18}
"""Part of the day → the local hour that it begins at."""


def _daypart_counts() -> tuple[Column, ...]:
    return tuple(
        column
        for daypart, hour in DAYPARTS.items()
        for column in (
            Column(
                f"{daypart}_order_count",
                T.LongType(),
                "Of the orders placed, those whose first line is of "
                f"{hour} to {hour + DAYPART_HOURS} o'clock, "
                "local time; one stamped on a whole quarter of the first hour, as days "
                "without a time are, is in no part of the day.",
            ),
            Column(
                f"undone_{daypart}_order_count",
                T.LongType(),
                f"Of the undone orders, those of the {daypart}.",
            ),
        )
    )


CUSTOMER_DAYS = TableContract(
    name="customer_days",
    meaning="One customer, purchase day and effective day; additive sums only. A purchase has both "
    "days the same; a return that undoes one has the purchase's day and its own; an unmatched "
    "return has its own day twice. As of a day, rows with a later effective day do not exist.",
    grain=("ledger_id", "customer_id", "purchase_date", "effective_date"),
    filtered_by=("ledger_id", "purchase_date", "effective_date"),
    apart_by="effective_date",
    columns=(
        LEDGER_ID,
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column("purchase_date", T.DateType(), "Day of the purchase that the row adds to."),
        Column("effective_date", T.DateType(), "Day from which the row counts."),
        Column("order_count", T.LongType(), "Orders placed."),
        Column(
            "undone_order_count",
            T.LongType(),
            "Orders of which the last unit came back; -1 where a line added later takes that back.",
        ),
        *_daypart_counts(),
        Column("line_count", T.LongType(), "Purchase lines."),
        Column("quantity_units", LINE_MONEY, "Units bought."),
        Column("gross_amount", LINE_MONEY, "Money of the purchase lines."),
        Column("discount_amount", LINE_MONEY, "Discounts on the purchase lines, positive."),
        Column("returned_units", LINE_MONEY, "Units given back, positive."),
        Column("returned_amount", LINE_MONEY, "Money given back, positive."),
        Column(
            "unmatched_returned_amount",
            LINE_MONEY,
            "The part of it that undoes no known purchase.",
        ),
    ),
)

LEDGER_BATCHES = TableContract(
    name="ledger_batches",
    meaning="One ingested batch whose lines, or events, a ledger holds.",
    grain=("ledger_id", "batch_id"),
    columns=(
        LEDGER_ID,
        BATCH_ID,
        Column(
            "is_settled",
            T.BooleanType(),
            "False while its rows are worked into the ledger or out of it.",
        ),
    ),
)
