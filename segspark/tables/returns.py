"""The table of returns and of what they undo."""

from pyspark.sql import types as T

from segspark.tables.contract import LINE_MONEY, Column, TableContract
from segspark.tables.purchases import LEDGER_ID

RETURN_MATCHES = TableContract(
    name="return_matches",
    meaning="What one return line undoes of one purchase line, or the part of a return line that "
    "undoes no known purchase. Every return line of a known customer is here, and its rows add up "
    "to its units and its money.",
    grain=(
        "ledger_id",
        "return_batch_id",
        "return_line_id",
        "purchase_batch_id",
        "purchase_line_id",
    ),
    filtered_by=("ledger_id", "purchase_date", "return_date"),
    apart_by="return_date",
    columns=(
        LEDGER_ID,
        Column("return_batch_id", T.StringType(), "Batch of the return's line."),
        Column("return_line_id", T.StringType(), "The return's line within its batch."),
        Column(
            "purchase_batch_id",
            T.StringType(),
            "Batch of the line undone; NULL for the one row of a return that is not matched.",
            nullable=True,
        ),
        Column(
            "purchase_line_id",
            T.StringType(),
            "The line undone, within its batch; NULL as above.",
            nullable=True,
        ),
        Column("is_matched", T.BooleanType(), "Whether a known purchase is undone."),
        Column("source", T.StringType(), "Name of the source in the configuration."),
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column(
            "order_id",
            T.StringType(),
            "Order of the line undone; NULL where none is.",
            nullable=True,
            personal=True,
        ),
        Column(
            "purchase_date",
            T.DateType(),
            "Day of that order, which is that of its first line; NULL where none is undone.",
            nullable=True,
        ),
        Column("return_date", T.DateType(), "Day of the return."),
        Column("returned_units", LINE_MONEY, "Units given back, positive."),
        Column("returned_amount", LINE_MONEY, "Money given back for them, positive."),
    ),
)
