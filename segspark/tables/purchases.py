"""Tables that ingest and the ledger write."""

from pyspark.sql import types as T

from segspark.tables.contract import LINE_MONEY, MONEY, Column, TableContract

_BATCH_ID = Column("batch_id", T.StringType(), "Ingested file: hash of its bytes and its source.")
_SOURCE = Column("source", T.StringType(), "Name of the source in the configuration.")

TRANSACTIONS = TableContract(
    name="transactions",
    meaning="One purchase, return or adjustment line; lines equal in every source column are one.",
    grain=("batch_id", "line_id"),
    columns=(
        _BATCH_ID,
        _SOURCE,
        Column("line_id", T.StringType(), "Hash of every column of the source's row."),
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
            "line_amount",
            LINE_MONEY,
            "Money of the line, discounts deducted; negative where it was given back.",
        ),
        Column("discount_amount", LINE_MONEY, "Discounts deducted from the line, positive."),
        Column("currency", T.StringType(), "ISO 4217 code of the amounts."),
        Column("country", T.StringType(), "Country of the customer or order.", nullable=True),
        Column("store_id", T.StringType(), "Shop or channel.", nullable=True),
        Column("copies_count", T.LongType(), "How often the source held this very row; >= 1."),
    ),
)

REJECTED_TRANSACTIONS = TableContract(
    name="rejected_transactions",
    meaning="One refused input row, as it came.",
    grain=("batch_id", "file_name", "raw_row"),
    columns=(
        _BATCH_ID,
        _SOURCE,
        Column("file_name", T.StringType(), "File that held the row."),
        Column(
            "raw_row", T.StringType(), "The row as it came, as JSON of its columns.", personal=True
        ),
        Column(
            "reasons",
            T.ArrayType(T.StringType()),
            "Every reason, such as 'transaction_at: not a date or time'.",
        ),
        Column(
            "line_amount", LINE_MONEY, "Money of the row where it could be read.", nullable=True
        ),
        Column("copies_count", T.LongType(), "How often the source held this very row; >= 1."),
    ),
)

INGEST_BATCHES = TableContract(
    name="ingest_batches",
    meaning="One ingested file; in = kept + duplicate + rejected, in rows and in money.",
    grain=("batch_id",),
    columns=(
        _BATCH_ID,
        _SOURCE,
        Column("source_hash", T.StringType(), "Hash of the source's settings."),
        Column("content_hash", T.StringType(), "Hash of the file's bytes, unpacked."),
        Column("file_name", T.StringType(), "Name of the file, without its folder."),
        Column(
            "replaces_batch_id",
            T.StringType(),
            "Batch of an older content of the same file, which no longer counts.",
            nullable=True,
        ),
        Column("currency", T.StringType(), "ISO 4217 code of the amounts."),
        Column("in_row_count", T.LongType(), "Rows in the file."),
        Column("kept_row_count", T.LongType(), "Rows of `transactions`."),
        Column("duplicate_row_count", T.LongType(), "Further copies of kept rows."),
        Column("rejected_row_count", T.LongType(), "Rows of `rejected_transactions`."),
        Column("guest_row_count", T.LongType(), "Kept rows without a customer."),
        Column("in_amount", MONEY, "Money of all rows whose money could be read."),
        Column("kept_amount", MONEY, "Money of the kept rows."),
        Column("duplicate_amount", MONEY, "Money of the further copies."),
        Column("rejected_amount", MONEY, "Money of the refused rows, where it could be read."),
        Column("first_date", T.DateType(), "Earliest kept day.", nullable=True),
        Column("last_date", T.DateType(), "Latest kept day.", nullable=True),
        Column("ingested_at", T.TimestampType(), "When the batch was written, UTC."),
    ),
)

CUSTOMER_DAYS = TableContract(
    name="customer_days",
    meaning="One customer, purchase day and effective day; additive sums only. A purchase has both "
    "days the same; a return that undoes one has the purchase's day and its own; an unmatched "
    "return has its own day twice. As of a day, rows with a later effective day do not exist.",
    grain=("ledger_id", "customer_id", "purchase_date", "effective_date"),
    columns=(
        Column("ledger_id", T.StringType(), "Hash of the ledger's settings."),
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column("purchase_date", T.DateType(), "Day of the purchase that the row adds to."),
        Column("effective_date", T.DateType(), "Day from which the row counts."),
        Column("order_count", T.LongType(), "Orders placed."),
        Column(
            "undone_order_count",
            T.LongType(),
            "Orders of which the last unit came back; -1 where a line added later takes that back.",
        ),
        Column("line_count", T.LongType(), "Purchase lines."),
        Column("quantity_units", MONEY, "Units bought."),
        Column("gross_amount", MONEY, "Money of the purchase lines."),
        Column("discount_amount", MONEY, "Discounts on the purchase lines, positive."),
        Column("returned_units", MONEY, "Units given back, positive."),
        Column("returned_amount", MONEY, "Money given back, positive."),
        Column("unmatched_returned_amount", MONEY, "The part of it that undoes no known purchase."),
    ),
)
