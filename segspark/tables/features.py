"""The table of customer features."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract

WINDOWS_DAYS = (7, 30, 90)
"""Windows of recent behaviour, each ending on the as-of date."""


def _windows() -> tuple[Column, ...]:
    return tuple(
        column
        for days in WINDOWS_DAYS
        for column in (
            Column(f"order_{days}_days_count", T.LongType(), f"Orders of the last {days} days."),
            Column(f"spend_{days}_days_amount", MONEY, f"Spend of the last {days} days."),
        )
    )


CUSTOMER_FEATURES = TableContract(
    name="customer_features",
    meaning="One customer in one snapshot: everything known up to and including the as-of date. "
    "Customers without a surviving purchase are there with a reason and no values.",
    grain=("snapshot_id", "customer_id"),
    columns=(
        Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches."),
        Column("as_of_date", T.DateType(), "Last day counted, inclusive."),
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column(
            "exclusion_reason",
            T.StringType(),
            "Why the customer gets no segment; NULL: it gets one.",
            nullable=True,
        ),
        # RFM family: orders and money within the observation window.
        Column(
            "recency_days",
            T.IntegerType(),
            "Days since the last purchase; 0: that day.",
            nullable=True,
        ),
        Column("frequency_count", T.LongType(), "Orders.", nullable=True),
        Column("monetary_amount", MONEY, "Spend, net or gross as configured.", nullable=True),
        Column("average_order_amount", T.DoubleType(), "Spend per order.", nullable=True),
        Column(
            "average_basket_units", T.DoubleType(), "Units bought per order placed.", nullable=True
        ),
        Column("average_basket_lines", T.DoubleType(), "Lines per order placed.", nullable=True),
        Column("tenure_days", T.IntegerType(), "Days since the first purchase.", nullable=True),
        Column("first_purchase_date", T.DateType(), "First purchase day.", nullable=True),
        Column("last_purchase_date", T.DateType(), "Last purchase day.", nullable=True),
        Column("recency_score", T.IntegerType(), "1 (long ago) to 5 (recent).", nullable=True),
        Column("frequency_score", T.IntegerType(), "1 (few) to 5 (many).", nullable=True),
        Column("monetary_score", T.IntegerType(), "1 (little) to 5 (much).", nullable=True),
        Column(
            "rfm_score", T.StringType(), "The three scores in a row, such as 545.", nullable=True
        ),
        Column("gross_amount", MONEY, "Money of all purchase lines."),
        Column("returned_amount", MONEY, "Money given back, positive."),
        Column("net_amount", MONEY, "Gross less returned."),
        Column("discount_amount", MONEY, "Discounts deducted, positive."),
        *_windows(),
        # BTYD family, for lifetime value: purchase days over the whole history.
        Column(
            "btyd_repeat_count", T.LongType(), "x: purchase days after the first.", nullable=True
        ),
        Column(
            "btyd_last_repeat_days",
            T.IntegerType(),
            "t_x: days from the first to the last purchase day.",
            nullable=True,
        ),
        Column(
            "btyd_age_days",
            T.IntegerType(),
            "T: days from the first purchase day to the as-of date.",
            nullable=True,
        ),
        Column(
            "btyd_repeat_mean_amount",
            T.DoubleType(),
            "Mean spend of the repeat days; NULL without one.",
            nullable=True,
        ),
        Column(
            "btyd_day_mean_amount",
            T.DoubleType(),
            "Mean spend of all purchase days.",
            nullable=True,
        ),
    ),
)
